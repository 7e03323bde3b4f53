"""What the time in a mixture explains by itself: a probe that sees the index of a frame, no sound.

The onsets of the published recipe are fixed (TASLP V-A, released code), so that a network can learn
when to listen. The probe knows the plan of the mixtures that a system was trained on, and of a
mixture that is scored no more than the system's own tags. Where it scores as the system does,
nothing shows that the system hears where a sound is.
"""

from dataclasses import dataclass

import numpy as np

from tfseg.evaluation.event_based import EventCounts
from tfseg.inference.events import detect_events
from tfseg.inference.histogram import ScoreHistogram

VARIANT = "time_index"


def time_prior(clips, classes, grid, n_frames):
    """How often a class sounds in a frame of the mixtures that it is in.

    Parameters
    ----------
    clips : iterable of list of (label, onset_s, offset_s)
        Events of every mixture trained on.
    classes : sequence of str
    grid : tfseg.features.time_grid.TimeGrid
    n_frames : int

    Returns
    -------
    prior : np.ndarray [shape=(n_frames, n_classes), dtype=float64, in [0, 1]]
        P(class k sounds in frame t | it is in the mixture); zero for a class that is in none.
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
        As of `time_prior`, in the precision of a system's stored frame scores.
    estimated : dict of str to list of (label, onset_s, offset_s)
        Events that its frame scores give, by clip.
    """

    prior: np.ndarray
    estimated: dict


def make_probe(prior, mixtures, tags, classes, grid, hysteresis, *, tag_threshold):
    """Detect events in the probe's scores as in a system's.

    Parameters
    ----------
    prior : np.ndarray [shape=(n_frames, n_classes)]
    mixtures : sequence of str, length n
    tags : np.ndarray [shape=(n, n_classes)]
        Of the system: only classes whose tag is above the threshold are scored by the probe.
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
    """What the probe's metrics follow from; those of several folds add up.

    Attributes
    ----------
    at_threshold : ScoreHistogram
        The prior where the tag is positive, else zero: for F1, precision and recall.
    ranked : ScoreHistogram
        The prior times the tag, for AUC, average precision and equal error rate: between clips
        the tag ranks, as it does in a system's own scores.
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
        Of its detected events.
    tag_threshold : float
    tag_gate : bool
        Whether what is ranked counts as zero where the tag is not positive, as in the system's
        published scores.

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
