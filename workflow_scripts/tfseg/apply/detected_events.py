"""Events found in a recording, with their frequency range.

Times and frequencies are rounded once, when an event is made: every format holds the same values.
"""

import math
from dataclasses import dataclass

import librosa
import numpy as np

from tfseg.inference.events import detect_runs, event_confidence, of_class

_FRAMES_AT_ONCE = 4096  # of a mask in memory
_FREQUENCY_STEP_HZ = 0.1  # that frequencies are rounded to


@dataclass(frozen=True, order=True)
class FoundEvent:
    """One event.

    Attributes
    ----------
    onset_s, offset_s : float
        Rounded to microseconds.
    label : str
    confidence : float in [0, 1]
        Its largest frame score (of change points, the mean), rounded to four digits.
    low_hz, high_hz : float
        Where in frequency its mask lies, rounded to a tenth; the whole range of the features where
        the model has no masks. Never above half the recording's rate.
    """

    onset_s: float
    offset_s: float
    label: str
    confidence: float
    low_hz: float
    high_hz: float


def band_edges_hz(settings):
    """Frequencies between which each mel band lies.

    Parameters
    ----------
    settings : tfseg.features.logmel.FeatureSettings

    Returns
    -------
    edges : np.ndarray [shape=(n_mels + 1,)]
        From `fmin_hz` to `fmax_hz`; inner ones are half-way between neighbouring centres.
    """
    centres = librosa.mel_frequencies(
        settings.n_mels + 2, fmin=settings.fmin_hz, fmax=settings.fmax_hz
    )[1:-1]
    between = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[settings.fmin_hz], between, [settings.fmax_hz]])


def frequency_range(mask_mean, edges_hz, threshold, highest_hz=math.inf):
    """Range from the lowest to the highest band in which a mask lies.

    Parameters
    ----------
    mask_mean : np.ndarray [shape=(n_mels,)]
        Of the event's frames.
    edges_hz : np.ndarray [shape=(n_mels + 1,)]
    threshold : float
        A band belongs to the event when its mean is above this; where none is, the largest does.
    highest_hz : float
        Half the recording's rate: no sound is above it, and other tools refuse such a range.

    Returns
    -------
    low_hz, high_hz : float
    """
    edges_hz = np.minimum(edges_hz, highest_hz)
    there = np.flatnonzero(np.diff(edges_hz) > 2 * _FREQUENCY_STEP_HZ)
    if len(there) == 0:  # a recording at so low a rate that the model hears nothing of it
        return 0.0, float(edges_hz[-1])
    bands = there[mask_mean[there] > threshold]
    if len(bands) == 0:
        bands = there[[np.argmax(mask_mean[there])]]
    return float(edges_hz[bands[0]]), float(edges_hz[bands[-1] + 1])


def find_events(scores, store, classes, settings, detection, *, duration_s, highest_hz=math.inf):
    """Find the events of every class in a recording.

    Parameters
    ----------
    scores : callable
        Frame scores [shape=(n_frames,)] of a class by its number; zero where a window's tags deny
        the class.
    store : tfseg.apply.masks.MaskStore or None
        None for a model without masks.
    classes : sequence of str
    settings : tfseg.features.logmel.FeatureSettings
    detection : tfseg.inference.operating_point.DetectionSettings
        Thresholds of the model.
    duration_s : float
        No event ends later.
    highest_hz : float
        No event reaches higher: half the recording's rate.

    Returns
    -------
    events : list of FoundEvent
        By onset.
    """
    grid, edges_hz = settings.grid, band_edges_hz(settings)
    # The mean of a model without masks: as if it were everywhere.
    everywhere = np.ones(settings.n_mels)
    found = []
    for k, label in enumerate(classes):
        class_scores, events = scores(k), detection.postprocessing.of_class(k)
        for first, stop in detect_runs(class_scores, events):
            mean = everywhere if store is None else _mean_mask(store, k, first, stop)
            threshold = 0 if store is None else of_class(detection.mask_threshold, k)
            low_hz, high_hz = frequency_range(mean, edges_hz, threshold, highest_hz)
            found.append(
                FoundEvent(
                    onset_s=round(grid.time_at(first), 6),
                    offset_s=round(min(grid.time_at(stop), duration_s), 6),
                    label=label,
                    confidence=round(event_confidence(class_scores, first, stop, events), 4),
                    low_hz=round(low_hz, 1),
                    high_hz=round(high_hz, 1),
                )
            )
    return sorted(found)


def _mean_mask(store, k, first, stop):
    """Mean over frames [shape=(n_mels,)]; an event may last as long as the recording."""
    total = 0
    for start in range(first, stop, _FRAMES_AT_ONCE):
        total += store.read(k, start, min(start + _FRAMES_AT_ONCE, stop)).sum(axis=0)
    return total / (stop - first)
