"""Every system, SNR and repeat of an experiment, read from their files into `Samples`."""

import math
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
    """Metric settings at a model's own thresholds."""
    return replace(
        settings,
        tag_threshold=np.asarray(detection.tag_threshold),
        frame_threshold=np.asarray(detection.frame_threshold),
    )


def add_scored(samples, files, labels, *, grid, settings, **keys):
    """Add what one system was scored on: tags, frames, events and masks.

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
            thresholds[fold] = _at(settings, read_detection(paths.detections, len(classes)))
        measures |= clip_measures(tuned, classes, thresholds, masks=masks, variant="tuned")
    clips = ClipSet.of({fold: scores.mixtures for fold, scores in folds.items()})
    samples.add("scored", clips, measures, **keys)


def add_separated(samples, paths, systems, classes, **keys):
    """Add how well the systems separate.

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


def add_runs(samples, scored, separated, labels, *, snrs, systems, seeds, classes, grid, settings):
    """Add all runs of an experiment, SNR by SNR, then system by system, then repeat by repeat.

    Parameters
    ----------
    samples : tfseg.evaluation.comparison.Samples
    scored : dict of (snr, system, seed, fold) to tfseg.evaluation.fold_files.FoldFiles
    separated : dict of (snr, seed, fold) to path-like
    labels : dict
        As `tfseg.evaluation.scoring.read_fold_scores` takes.
    snrs : sequence of str
        As paths have them: ``none`` stands for clips that are used as recorded.
    systems : sequence of str
    seeds : sequence of int
    classes : sequence of str
    grid : tfseg.features.time_grid.TimeGrid
    settings : tfseg.evaluation.records.MetricSettings
    """
    of_run, of_separation = {}, {}
    for (*run, fold), files in scored.items():
        of_run.setdefault(tuple(run), {})[fold] = files
    for (*run, fold), path in separated.items():
        of_separation.setdefault(tuple(run), {})[fold] = path
    snrs_db = {snr: math.nan if snr == "none" else float(snr) for snr in snrs}
    for snr in snrs:
        for system in systems:
            for seed in seeds:
                add_scored(
                    samples,
                    of_run[snr, system, seed],
                    labels,
                    grid=grid,
                    settings=settings,
                    snr_db=snrs_db[snr],
                    system=system,
                    seed=seed,
                )
    for snr in snrs if separated else []:
        for seed in seeds:
            paths = of_separation[snr, seed]
            add_separated(samples, paths, systems, classes, snr_db=snrs_db[snr], seed=seed)
