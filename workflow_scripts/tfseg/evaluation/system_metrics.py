"""All metrics of one system at one SNR, from the files of its folds."""

from dataclasses import replace

import pandas as pd

from tfseg.evaluation.intersection import has_psds, intersection_f1_metrics, psds_metrics
from tfseg.evaluation.onset_prior import make_probe, time_prior
from tfseg.evaluation.own_metrics import own_metrics
from tfseg.evaluation.scoring import read_fold_scores, score_system
from tfseg.evaluation.tuned import score_tuned
from tfseg.inference.events import read_events
from tfseg.inference.operating_point import read_detection


def _with_probe(scores, classes, fold, mixtures, labels, grid, events, tag_threshold):
    """Add the events of the onset prior, from the training folds' plan and the clip's tags."""
    is_trained_on = (mixtures["fold"] != fold) & (mixtures["part"] == "train")
    prior = time_prior(
        (labels[name] for name in mixtures.loc[is_trained_on, "mixture"]),
        classes,
        grid,
        len(scores.frames[0]),
    )
    probe = make_probe(
        prior, scores.mixtures, scores.tags, classes, grid, events, tag_threshold=tag_threshold
    )
    return replace(scores, probe=probe)


def system_metrics(files, mixtures, labels, *, grid, settings, events, planned, processes, **keys):
    """Compute all metrics of one system.

    Parameters
    ----------
    files : dict of int to tfseg.evaluation.fold_files.FoldFiles
        By held-out fold.
    mixtures : pd.DataFrame
        ``mixtures.csv``.
    labels : dict
        Clip to list of (label, onset_s, offset_s), for every clip with known event times.
    grid : tfseg.features.time_grid.TimeGrid
    settings : tfseg.evaluation.records.MetricSettings
    events : tfseg.inference.events.EventSettings
        Settings of the event detection, for the onset prior.
    planned : bool
        Whether the workflow mixed the clips; only then is there an onset prior.
    processes : int
    **keys
        ``snr_db``, ``system`` and ``seed`` of all rows.

    Returns
    -------
    metrics : pd.DataFrame
        Tidy rows.
    """
    folds = {}
    for fold in sorted(files):
        paths = files[fold]
        estimated = read_events(paths.events)
        scores, classes = read_fold_scores(paths.scores, paths.counts, estimated, labels, grid)
        if planned:
            scores = _with_probe(
                scores, classes, fold, mixtures, labels, grid, events, settings.tag_threshold
            )
        folds[fold] = scores
    parts = [
        score_system(folds, classes, settings, processes=processes, **keys),
        intersection_f1_metrics(folds, classes, **keys),
    ]
    if all(paths.tuned_events for paths in files.values()):
        tuned = {
            fold: replace(scores, estimated=read_events(files[fold].tuned_events))
            for fold, scores in folds.items()
        }
        detections = {fold: read_detection(files[fold].detection, len(classes)) for fold in folds}
        parts.append(score_tuned(tuned, detections, classes, settings, processes=processes, **keys))
    if has_psds():
        durations = dict(zip(mixtures["mixture"], mixtures["duration_s"], strict=True))
        parts.append(psds_metrics(folds, classes, grid, durations, **keys))
    else:
        print("PSDS is left out: the package sed_scores_eval is not installed (make setup)")
    parts.append(own_metrics(folds, classes, settings, **keys))
    return pd.concat([part for part in parts if len(part)])
