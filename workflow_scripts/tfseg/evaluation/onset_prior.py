"""Onset prior: a probe that detects events from the frame index alone, without sound.

The published recipe has fixed onsets (TASLP V-A, released code), so a network can learn when events
occur. The probe knows the event times of the training mixtures. Of a scored mixture it knows only
the system's own tags. If a system scores no better than the probe, its scores are no evidence that
it locates sounds.
"""

from dataclasses import dataclass

import numpy as np

from tfseg.evaluation.event_based import EventCounts
from tfseg.inference.events import detect_events
from tfseg.inference.histogram import ScoreHistogram

VARIANT = "time_index"


def time_prior(clips, classes, grid, n_frames):
    """Compute how often a class is active in each frame of the mixtures that contain it.

    Parameters
    ----------
    clips : iterable of list of (label, onset_s, offset_s)
        Events of every training mixture.
    classes : sequence of str
    grid : tfseg.features.time_grid.TimeGrid
    n_frames : int

    Returns
    -------
    prior : np.ndarray [shape=(n_frames, n_classes), dtype=float64, in [0, 1]]
        P(class k is active in frame t | the mixture contains it); zero for a class in no mixture.
    """
    n_sounding = np.zeros((n_frames, len(classes)), dtype=np.int64)
    n_clips = np.zeros(len(classes), dtype=np.int64)
    column = {label: k for k, label in enumerate(classes)}
    for events in clips:
        n_sounding += grid.strong_labels(events, classes, n_frames)
        n_clips[[column[label] for label in {event[0] for event in events}]] += 1
    return n_sounding / np.maximum(n_clips, 1)


@dataclass(frozen=True)
class TimeProbe:
    """The probe of one system in one held-out fold.

    Attributes
    ----------
    prior : np.ndarray [shape=(n_frames, n_classes), dtype=float16]
        From `time_prior`, in the precision of a system's stored frame scores.
    estimated : dict of str to list of (label, onset_s, offset_s)
        Events detected in its frame scores, by clip.
    """

    prior: np.ndarray
    estimated: dict


def make_probe(prior, mixtures, tags, classes, grid, hysteresis, *, tag_threshold):
    """Detect events in the probe's scores as in a system's scores.

    Parameters
    ----------
    prior : np.ndarray [shape=(n_frames, n_classes)]
    mixtures : sequence of str, length n
    tags : np.ndarray [shape=(n, n_classes)]
        The system's tags; the probe scores only classes whose tag is above the threshold.
    classes : sequence of str
    grid : tfseg.features.time_grid.TimeGrid
    hysteresis : tfseg.inference.events.EventSettings
    tag_threshold : float

    Returns
    -------
    probe : TimeProbe
    """
    prior = prior.astype(np.float16)
    estimated = {}
    for clip, onset_s, offset_s, label in detect_events(
        mixtures,
        tags,
        [prior] * len(mixtures),
        classes,
        grid,
        hysteresis,
        tag_threshold=tag_threshold,
    ):
        events = estimated.setdefault(clip, [])
        if label is not None:
            events.append((label, onset_s, offset_s))
    return TimeProbe(prior, estimated)


@dataclass(frozen=True)
class ProbeCounts:
    """Counts for the probe's metrics; counts of several folds can be added.

    Attributes
    ----------
    at_threshold : ScoreHistogram
        The prior where the tag is positive, else zero: for F1, precision and recall.
    ranked : ScoreHistogram
        The prior times the tag, for AUC, average precision and equal error rate. The tag ranks
        the clips, as it does in a system's own scores.
    events : EventCounts
    """

    at_threshold: ScoreHistogram
    ranked: ScoreHistogram
    events: EventCounts

    def __add__(self, other):
        return ProbeCounts(
            self.at_threshold + other.at_threshold,
            self.ranked + other.ranked,
            self.events + other.events,
        )


def count_probe(probe, tags, strong, events, *, tag_threshold, tag_gate):
    """Count the probe's frame scores.

    Parameters
    ----------
    probe : TimeProbe
    tags : np.ndarray [shape=(n, n_classes), dtype=float32]
    strong : sequence of np.ndarray [shape=(n_frames, n_classes), dtype=bool]
        One for each clip, all of the prior's length.
    events : EventCounts
        Counts of the probe's detected events.
    tag_threshold : float
    tag_gate : bool
        Whether ranked scores are zero where the tag is not positive, as in the system's published
        scores.

    Returns
    -------
    counts : ProbeCounts
    """
    strong = np.stack(strong)
    n_clips, n_frames, _ = strong.shape
    kept = np.repeat(tags > tag_threshold, n_frames, axis=0)
    at_threshold = np.tile(probe.prior, (n_clips, 1))
    ranked = (probe.prior.astype(np.float32) * tags[:, None]).astype(np.float16)
    return ProbeCounts(
        ScoreHistogram.of(at_threshold, strong, kept),
        ScoreHistogram.of(ranked, strong, kept if tag_gate else None),
        events,
    )
