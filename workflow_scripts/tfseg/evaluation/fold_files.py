"""The result files of one model on one held-out fold."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FoldFiles:
    """The result files of one model on one held-out fold.

    Parameters
    ----------
    scores, counts, events : str
        Paths.
    detection, tuned_events : str or None
        If thresholds are tuned: the file with the model's thresholds, and the events detected with
        them.
    """

    scores: str
    counts: str
    events: str
    detection: str | None = None
    tuned_events: str | None = None
