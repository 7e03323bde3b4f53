"""Intersection-based event scores (Bilen et al., ICASSP 2020).

The F1 of detected events is our own code. PSDS comes from sed_scores_eval, exact over all
thresholds (Ebbers, Haeb-Umbach, Serizel, ICASSP 2022). That package has to be compiled, and may be
missing (envs/install.py).
"""

import functools
import importlib.util
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tfseg.evaluation.own_metrics import metric_by_class
from tfseg.evaluation.scoring import join_folds, precision_recall_f1

# Criterion for both detection tolerance and ground truth intersection of the F1.
TOLERANCE = 0.5


@dataclass(frozen=True)
class Scenario:
    """Settings of a PSDS.

    Parameters
    ----------
    tolerance : float
        Detection tolerance and ground truth intersection.
    cross_trigger : float or None
        A false detection is a cross-trigger if at least this share of it lies in events of another
        class.
    alpha_ct : float
        Weight of cross-triggers.
    """

    tolerance: float
    cross_trigger: float | None
    alpha_ct: float


# The scenarios of DCASE Task 4: the first stresses times, the second the confusion of classes.
PSDS = {"psds1": Scenario(0.7, None, 0.0), "psds2": Scenario(0.1, 0.3, 0.5)}
_ALPHA_ST = 1.0  # weight of the deviation between classes
_MAX_EFPR = 100.0  # false positives per hour
# In seconds: tolerates rounding errors where a share is exactly one half.
_DECIMALS = 6


def has_psds():
    """Whether the package that PSDS needs is installed."""
    return importlib.util.find_spec("sed_scores_eval") is not None


def join_connected(events):
    """Join events of one class that overlap or touch: they count as one in an intersection.

    Parameters
    ----------
    events : list of (label, onset_s, offset_s)

    Returns
    -------
    joined : list of (label, onset_s, offset_s)
        Sorted by label and onset; events of zero length are left out.
    """
    joined = []
    for label, onset, offset in sorted(event for event in events if event[2] > event[1]):
        if joined and joined[-1][0] == label and onset <= joined[-1][2]:
            joined[-1] = (label, joined[-1][1], max(offset, joined[-1][2]))
        else:
            joined.append((label, onset, offset))
    return joined


def _reaches(intersection_s, share, length_s):
    return np.round(intersection_s, _DECIMALS) >= np.round(share * length_s, _DECIMALS)


def match_intersections(reference, estimated, tolerance=TOLERANCE):
    """Match the events of one class in one clip.

    A detection is valid if at least `tolerance` of it lies in reference events (DTC). A reference
    event is found if at least `tolerance` of it lies in valid detections (GTC).

    Parameters
    ----------
    reference, estimated : np.ndarray [shape=(n, 2)]
        Onsets and offsets in seconds; the rows of each array do not overlap.
    tolerance : float [in (0, 1]]

    Returns
    -------
    n_hit, n_false : int
        Number of reference events that were found, and of invalid detections.
    """
    within = np.minimum(estimated[:, None, 1], reference[None, :, 1])
    within = within - np.maximum(estimated[:, None, 0], reference[None, :, 0])
    within = np.maximum(within, 0.0)  # (n_estimated, n_reference), in seconds
    counts = _reaches(within.sum(axis=1), tolerance, np.diff(estimated)[:, 0])
    found = _reaches(within[counts].sum(axis=0), tolerance, np.diff(reference)[:, 0])
    return int(found.sum()), int((~counts).sum())


def count_intersections(clips, reference, estimated, classes):
    """Count detected events by intersection, clip by clip; cross-triggers have no extra count.

    Parameters
    ----------
    clips : sequence of str
    reference, estimated : dict of str to list of (label, onset_s, offset_s)
        A clip without reference has unknown event times, and is not counted.
    classes : sequence of str

    Returns
    -------
    predicted, reference, hit : np.ndarray [shape=(n_clips, n_classes), dtype=int64]
        `hit` counts the reference events that were found, `predicted` these and the invalid
        detections, and `reference` all reference events.
    """
    column = {label: k for k, label in enumerate(classes)}
    predicted, positive, hit = np.zeros((3, len(clips), len(classes)), dtype=np.int64)
    for i, clip in enumerate(clips):
        if clip not in reference:
            continue
        by_class = {}
        for which, events in enumerate((reference[clip], estimated.get(clip, []))):
            for label, *times in join_connected(events):
                by_class.setdefault(label, ([], []))[which].append(times)
        for label, both in by_class.items():
            k = column[label]
            true, found = (np.array(times, dtype=np.float64).reshape(-1, 2) for times in both)
            hit[i, k], n_false = match_intersections(true, found)
            predicted[i, k] = hit[i, k] + n_false
            positive[i, k] = len(true)
    return predicted, positive, hit


def _f1_by_class(fold, classes):
    """F1 of each class, and its reference events; None where no times are known."""
    if not fold.reference:
        return None
    counts = count_intersections(fold.mixtures, fold.reference, fold.estimated, classes)
    predicted, positive, hit = (by_clip.sum(axis=0) for by_clip in counts)
    return precision_recall_f1(predicted, positive, hit)[2], positive


class PsdsCounts:
    """Counts for the PSDS of any subset of clips: counted once, scored per fold and pooled.

    Parameters
    ----------
    frames : dict of str to np.ndarray [shape=(n_frames, n_classes)]
        Raw frame scores by clip: no gate, no post-processing.
    reference : dict of str to list of (label, onset_s, offset_s)
        Of the same clips, also those without events.
    durations : dict of str to float
        Seconds of each clip.
    classes : sequence of str
    grid : tfseg.features.time_grid.TimeGrid
    """

    def __init__(self, frames, reference, durations, classes, grid):
        from sed_scores_eval import intersection_based
        from sed_scores_eval.base_modules.scores import create_score_dataframe

        self._package, self._durations = intersection_based, durations
        # Classes are passed as numbers: the package reserves some names.
        number = {label: str(k) for k, label in enumerate(classes)}
        self._truth = {
            clip: [
                (onset, offset, number[label]) for label, onset, offset in join_connected(events)
            ]
            for clip, events in reference.items()
        }
        scored = self._sounding(self._truth)
        columns = [int(name) for name in scored]
        scores = {
            clip: create_score_dataframe(
                frames[clip][:, columns].astype(np.float64),
                np.array([grid.time_at(frame) for frame in range(len(frames[clip]) + 1)]),
                scored,
            )
            for clip in self._truth
        }
        self._deltas = {
            name: intersection_based.intermediate_statistics_deltas(
                scores,
                self._truth,
                dtc_threshold=scenario.tolerance,
                gtc_threshold=scenario.tolerance,
                # The package cannot count cross-triggers where there are no other classes.
                cttc_threshold=scenario.cross_trigger if len(scored) > 1 else None,
            )
            for name, scenario in PSDS.items()
            if scored
        }

    def _sounding(self, clips):
        """Return the classes with events in these clips, in class order."""
        found = {name for clip in clips for *_, name in self._truth[clip]}
        return sorted(found, key=int)

    def score(self, clips=None):
        """Compute the PSDS of a subset of clips.

        Parameters
        ----------
        clips : sequence of str or None
            None takes all.

        Returns
        -------
        values : dict of str to float
            By the names in `PSDS`. NaN without any event.
        n_classes : int
            Number of classes with events in these clips; only these are scored.
        """
        truth = self._truth if clips is None else {clip: self._truth[clip] for clip in clips}
        classes = self._sounding(truth)
        if not classes:
            return dict.fromkeys(PSDS, math.nan), 0
        values = {}
        for name, scenario in PSDS.items():
            has_others = scenario.cross_trigger is not None and len(classes) > 1
            value, *_ = self._package.psds(
                None,
                truth,
                {clip: self._durations[clip] for clip in truth},
                deltas=_of_classes(self._deltas[name], truth, classes),
                dtc_threshold=scenario.tolerance,
                gtc_threshold=scenario.tolerance,
                cttc_threshold=scenario.cross_trigger if has_others else None,
                alpha_ct=scenario.alpha_ct if has_others else 0.0,
                alpha_st=_ALPHA_ST,
                max_efpr=_MAX_EFPR,
            )
            values[name] = float(value)
        return values, len(classes)


def _of_classes(deltas, clips, classes):
    """Select the package's counts of these clips and classes, without other classes' triggers."""
    kept = {"tps", "fps", "cts", *(f"cts\\{name}" for name in classes)}
    return {
        clip: {
            name: (
                deltas[clip][name][0],
                {key: v for key, v in deltas[clip][name][1].items() if key in kept},
            )
            for name in classes
        }
        for clip in clips
    }


def _psds_rows(counts, clips=None):
    values, n_classes = counts.score(clips)
    # PSDS is usually compared on raw scores.
    return [("event", name, "macro", "ungated", v, n_classes) for name, v in values.items()]


def intersection_f1_metrics(folds, classes, **keys):
    """Intersection-based F1 of detected events: by class and macro, per fold, mean and pooled.

    Parameters
    ----------
    folds : dict of int to tfseg.evaluation.scoring.FoldScores
    classes : sequence of str
    **keys
        ``snr_db``, ``system`` and ``seed`` of the rows.

    Returns
    -------
    metrics : pd.DataFrame
        Columns of ``metrics.csv``; no rows if event times are unknown.
    """
    by_class = functools.partial(_f1_by_class, classes=classes)
    return metric_by_class(folds, classes, by_class, "event", "intersection_f1", **keys)


def psds_metrics(folds, classes, grid, durations, **keys):
    """PSDS of raw frame scores: per fold, mean over folds, and pooled.

    Parameters
    ----------
    folds, classes, **keys
        As for `intersection_f1_metrics`.
    grid : tfseg.features.time_grid.TimeGrid
    durations : dict of str to float
        Seconds of each clip.

    Returns
    -------
    metrics : pd.DataFrame
        Columns of ``metrics.csv``, variant ``ungated``; ``n`` counts the classes with events. No
        rows if event times are unknown.
    """
    timed = {name: fold for name, fold in folds.items() if fold.reference}
    if not timed:
        return pd.DataFrame()
    frames, reference = {}, {}
    for fold in timed.values():
        by_clip = dict(zip(fold.mixtures, fold.frames, strict=True))
        frames |= {clip: by_clip[clip] for clip in fold.reference}
        reference |= fold.reference
    counts = PsdsCounts(frames, reference, durations, classes, grid)
    per_fold = {name: _psds_rows(counts, fold.reference) for name, fold in timed.items()}
    return join_folds(per_fold, _psds_rows(counts), **keys)
