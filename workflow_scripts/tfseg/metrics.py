"""The metrics of tfseg as functions, for the results of any system.

`count_events` and `event_scores` need sed_eval (the package's extra ``workflow``). The others need
no further package.
"""

from tfseg.evaluation.bss_eval import BssEval, score_separation, si_sdr, snr
from tfseg.evaluation.event_based import EventCounts, count_events, event_scores
from tfseg.evaluation.intersection import count_intersections
from tfseg.evaluation.scoring import macro, precision_recall_f1
from tfseg.inference.histogram import RankedCounts, ScoreHistogram, ScoreRanks

__all__ = [
    "BssEval",
    "EventCounts",
    "RankedCounts",
    "ScoreHistogram",
    "ScoreRanks",
    "count_events",
    "count_intersections",
    "event_scores",
    "macro",
    "precision_recall_f1",
    "score_separation",
    "si_sdr",
    "snr",
]
