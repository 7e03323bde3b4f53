"""The files that one model made of one held-out fold."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FoldFiles:
    """What one model made of one held-out fold.

    Parameters
    ----------
    scores, counts, events : str
        Paths.
    detection, tuned_events : str or None
        Where thresholds are tuned: those of the model, and the events that they find.
    """

    scores: str
    counts: str
    events: str
    detection: str | None = None
    tuned_events: str | None = None
