"""Counts for macro metrics, clip by clip, so that clips can be resampled."""

from dataclasses import dataclass

import numpy as np

from tfseg.evaluation.bootstrap import ClipAveragePrecision, ClipF1, ClipMean
from tfseg.evaluation.event_based import count_events_by_clip
from tfseg.evaluation.intersection import count_intersections
from tfseg.evaluation.separation_rows import capi_sdri, with_improvements
from tfseg.inference.histogram import ClipMaskCounts
from tfseg.io.files import reading_hdf5


@dataclass(frozen=True)
class ClipSet:
    """The clips of a set of metrics.

    Attributes
    ----------
    names : tuple of str
    folds : tuple of int
        The held-out fold of each clip.
    """

    names: tuple
    folds: tuple

    @classmethod
    def of(cls, names_by_fold):
        """Join the clips of several folds, given as a dict from fold to names."""
        pairs = [(name, fold) for fold, names in names_by_fold.items() for name in names]
        return cls(*map(tuple, zip(*pairs, strict=True)))


def read_clip_masks(counts_path):
    """Read the T-F unit counts of each clip; None without ideal masks or without masks."""
    with reading_hdf5(counts_path) as file:
        return ClipMaskCounts.read(file) if file.attrs["has_counts"] else None


def _frames_of_clips(fold, settings):
    """Count frames of each clip: above the threshold, positive, and both.

    Counts are zero in clips with unknown event times. The gate by clip tags is the published one.
    """
    counts = np.zeros((3, *fold.target.shape), dtype=np.int64)
    threshold = np.asarray(settings.frame_threshold, dtype=np.float16)
    has_tag = fold.tags > np.asarray(settings.tag_threshold, dtype=fold.tags.dtype)
    for i, (name, frames, strong) in enumerate(
        zip(fold.mixtures, fold.frames, fold.strong, strict=True)
    ):
        if name not in fold.reference:
            continue
        above = frames > threshold
        if settings.tag_gate:
            above &= has_tag[i]
        counts[:, i] = above.sum(axis=0), strong.sum(axis=0), (above & strong).sum(axis=0)
    return counts


def _events_of_clips(fold, classes, settings):
    counts = np.zeros((3, *fold.target.shape), dtype=np.int64)
    timed = [i for i, name in enumerate(fold.mixtures) if name in fold.reference]
    counts[:, timed] = count_events_by_clip(
        {fold.mixtures[i]: fold.reference[fold.mixtures[i]] for i in timed},
        fold.estimated,
        classes=classes,
        collar_s=settings.collar_s,
        offset_fraction=settings.offset_fraction,
    )
    return counts


def _f1(parts):
    """Join counts (predicted, reference, hit) of several folds."""
    return ClipF1(*(np.concatenate(of_folds) for of_folds in zip(*parts, strict=True)))


def clip_measures(folds, classes, settings, *, masks=None, variant="published"):
    """Measures of one system at one SNR with one seed.

    Parameters
    ----------
    folds : dict of int to tfseg.evaluation.scoring.FoldScores
        With the events that were detected at the variant's operating point.
    classes : sequence of str
    settings : dict of int to tfseg.evaluation.records.MetricSettings
        By fold, with the variant's thresholds: one for all classes, or an array with one per class.
    masks : dict of int to ClipMaskCounts, or None
        With a set of thresholds of the variant's name.
    variant : str
        ``published``, or another set of thresholds. Threshold-free metrics (``map``) are the same
        in every variant, and appear in ``published`` only.

    Returns
    -------
    measures : dict of (task, metric, variant) to ClipF1 or ClipAveragePrecision
        A task without any reference has none.
    """
    tags = np.concatenate([fold.tags for fold in folds.values()])
    target = np.concatenate([fold.target for fold in folds.values()])
    above = np.concatenate(
        [
            fold.tags > np.asarray(settings[name].tag_threshold, dtype=fold.tags.dtype)
            for name, fold in folds.items()
        ]
    )
    measures: dict = {("tagging", "f1", variant): ClipF1(above, target, above & target)}
    if variant == "published":
        measures["tagging", "map", variant] = ClipAveragePrecision(tags, target)
    if any(fold.reference for fold in folds.values()):
        measures["frame", "f1", variant] = _f1(
            [_frames_of_clips(fold, settings[name]) for name, fold in folds.items()]
        )
        measures["event", "f1", variant] = _f1(
            [_events_of_clips(fold, classes, settings[name]) for name, fold in folds.items()]
        )
        measures["event", "intersection_f1", variant] = _f1(
            [
                count_intersections(fold.mixtures, fold.reference, fold.estimated, classes)
                for fold in folds.values()
            ]
        )
    if masks and all(of_fold is not None for of_fold in masks.values()):
        measures["mask", "f1", variant] = _f1(
            [
                (of_fold.predicted[variant], of_fold.positive, of_fold.hit[variant])
                for of_fold in masks.values()
            ]
        )
    return measures


def separation_measures(folds, classes):
    """Measures of every system at one SNR with one seed.

    Parameters
    ----------
    folds : dict of int to pd.DataFrame
        As `tfseg.evaluation.separation_rows.read_scores` returns them.
    classes : sequence of str

    Returns
    -------
    clips : ClipSet
        The mixtures that were separated.
    measures : dict of str to dict of (task, metric, variant) to ClipMean
        By system. Means leave out an SI-SDR that is not finite (a silent estimate).
    """
    clips = ClipSet.of({fold: scores["mixture"].unique() for fold, scores in folds.items()})
    row = {name: i for i, name in enumerate(clips.names)}
    column = {label: k for k, label in enumerate(classes)}
    measures = {}
    joined = [with_improvements(scores) for scores in folds.values()]
    for system in dict.fromkeys(name for part in joined for name in part["system"]):
        total, count = np.zeros((2, len(row), len(column)))
        means, scored = np.zeros((2, len(row), 1))
        for part in joined:
            of_system = part[part["system"] == system]
            whole = of_system[(of_system["span"] == "whole") & (of_system["sounding"] == 1)]
            gains = whole["si_sdr_improvement"].to_numpy()
            finite = np.isfinite(gains)
            cells = whole["mixture"].map(row), whole["class"].map(column)
            cells = tuple(cell.to_numpy()[finite] for cell in cells)
            total[cells], count[cells] = gains[finite], 1
            of_clips = capi_sdri(of_system)
            rows = [row[name] for name in of_clips.index]
            means[rows, 0], scored[rows, 0] = of_clips.to_numpy(), 1
        measures[system] = {
            ("separation", "si_sdr_improvement", "published"): ClipMean(total, count),
            ("separation", "capi_sdri", "predicted_tags"): ClipMean(means, scored),
        }
    return clips, measures
