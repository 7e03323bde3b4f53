"""The metrics of tfseg, each with its own function, for results of any system.

`count_events` and `event_scores` use sed_eval (the package's extra ``workflow``); all others need
nothing but what tfseg itself needs.
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
