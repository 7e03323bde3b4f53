"""Results of a system on its held-out folds, read from files into `Samples`."""

from dataclasses import replace

import numpy as np

from tfseg.evaluation.clip_counts import (
    ClipSet,
    clip_measures,
    read_clip_masks,
    separation_measures,
)
from tfseg.evaluation.scoring import read_fold_scores
from tfseg.evaluation.separation_rows import read_scores
from tfseg.inference.events import read_events
from tfseg.inference.operating_point import read_detection


def _at(settings, detection):
    """Return metric settings with a model's own thresholds."""
    return replace(
        settings,
        tag_threshold=np.asarray(detection.tag_threshold),
        frame_threshold=np.asarray(detection.frame_threshold),
    )


def add_scored(samples, files, labels, *, grid, settings, **keys):
    """Add the scored tags, frames, events and masks of one system.

    Parameters
    ----------
    samples : tfseg.evaluation.comparison.Samples
    files : dict of int to tfseg.evaluation.fold_files.FoldFiles
        By held-out fold.
    labels : dict
        As `tfseg.evaluation.scoring.read_fold_scores` takes.
    grid : tfseg.features.time_grid.TimeGrid
    settings : tfseg.evaluation.records.MetricSettings
    **keys
        ``snr_db``, ``system`` and ``seed``.
    """
    folds, masks = {}, {}
    for fold in sorted(files):
        paths = files[fold]
        folds[fold], classes = read_fold_scores(
            paths.scores, paths.counts, read_events(paths.events), labels, grid
        )
        masks[fold] = read_clip_masks(paths.counts)
    measures = clip_measures(folds, classes, dict.fromkeys(folds, settings), masks=masks)
    if all(paths.tuned_events for paths in files.values()):
        tuned, thresholds = {}, {}
        for fold, scores in folds.items():
            paths = files[fold]
            tuned[fold] = replace(scores, estimated=read_events(paths.tuned_events))
            thresholds[fold] = _at(settings, read_detection(paths.detection, len(classes)))
        measures |= clip_measures(tuned, classes, thresholds, masks=masks, variant="tuned")
    clips = ClipSet.of({fold: scores.mixtures for fold, scores in folds.items()})
    samples.add("scored", clips, measures, **keys)


def add_separated(samples, paths, systems, classes, **keys):
    """Add the separation scores of all systems.

    Parameters
    ----------
    samples : tfseg.evaluation.comparison.Samples
    paths : dict of int to path-like
        Scores of single mixtures by held-out fold.
    systems : sequence of str
        In the order of the rows; those without masks have no scores.
    classes : sequence of str
    **keys
        ``snr_db`` and ``seed``.
    """
    folds = {fold: read_scores(paths[fold]) for fold in sorted(paths)}
    clips, measures = separation_measures(folds, classes)
    for system in systems:
        if system in measures:
            samples.add("separated", clips, measures[system], system=system, **keys)
