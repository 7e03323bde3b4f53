"""Rows of the metrics that have their own file (``docs/how-to/add_a_metric.md``)."""

import functools
from dataclasses import replace

import numpy as np
import pandas as pd

from tfseg.evaluation.metric_names import OWN_METRICS
from tfseg.evaluation.scoring import class_rows, join_folds


def _as_one(folds):
    """Join the clips of several folds into one test set."""
    first = folds[0]
    return replace(
        first,
        mixtures=[name for fold in folds for name in fold.mixtures],
        tags=np.concatenate([fold.tags for fold in folds]),
        target=np.concatenate([fold.target for fold in folds]),
        frames=[clip for fold in folds for clip in fold.frames],
        strong=[clip for fold in folds for clip in fold.strong],
        reference={name: events for fold in folds for name, events in fold.reference.items()},
        estimated={name: events for fold in folds for name, events in fold.estimated.items()},
        # Mask counts and the probe are not per clip; tfseg.evaluation.scoring handles them.
        **dict.fromkeys(("masks", "mask_predicted", "mask_hit", "probe")),
    )


def metric_by_class(folds, classes, by_class, task, name, **keys):
    """One metric: by class and macro, per fold, over folds, and pooled.

    Parameters
    ----------
    folds, classes, **keys
        As for `own_metrics`.
    by_class : callable
        Takes a FoldScores; returns the values and the positive units of each class
        [shape=(n_classes,) each], or None where the scores lack what the metric needs.
    task, name : str
        As in ``metrics.csv``.

    Returns
    -------
    metrics : pd.DataFrame
        As `own_metrics` returns.
    """

    def rows(scores):
        found = by_class(scores)
        if found is None:
            return []
        values, n_positive = found
        return class_rows(task, "published", classes, {name: values}, n_positive)

    return _of_folds(folds, rows, **keys)


def _of_folds(folds, rows, **keys):
    """Collect the rows of each fold, their mean, and the rows of all clips as one test set."""
    per_fold = {fold: rows(scores) for fold, scores in folds.items()}
    per_fold = {fold: of_fold for fold, of_fold in per_fold.items() if of_fold}
    if not per_fold:
        return pd.DataFrame()
    return join_folds(per_fold, rows(_as_one(list(folds.values()))), **keys)


def _metric_of_all(folds, of_all, task, name, **keys):
    """One metric of all classes together; its rows are those of ``macro``."""

    def rows(scores):
        return [(task, name, "macro", "published", *of_all(scores))]

    return _of_folds(folds, rows, **keys)


def own_metrics(folds, classes, settings, *, modules=OWN_METRICS, **keys):
    """Compute the metrics of `OWN_METRICS`: by class and macro, per fold, mean and pooled.

    Parameters
    ----------
    folds : dict of int to tfseg.evaluation.scoring.FoldScores
    classes : sequence of str
    settings : tfseg.evaluation.records.MetricSettings
    modules : sequence of module
        Each with `METRIC` and a function ``by_class(scores, classes, settings)``. It returns the
        values and the positive units of each class [shape=(n_classes,) each], or None if `scores`
        (a FoldScores) lack what the metric needs. A metric that is no mean over classes has
        ``of_all`` instead, with the same parameters: it returns one value, and the positive units.
    **keys
        ``snr_db``, ``system`` and ``seed`` of the rows.

    Returns
    -------
    metrics : pd.DataFrame
        Columns of ``metrics.csv``, variant ``published``, in the order of `modules`. No rows where
        a metric cannot be computed.
    """
    tables = []
    for module in modules:
        (task,), name = module.METRIC.tasks, module.METRIC.name
        if hasattr(module, "of_all"):
            of_all = functools.partial(module.of_all, classes=classes, settings=settings)
            tables.append(_metric_of_all(folds, of_all, task, name, **keys))
            continue
        by_class = functools.partial(module.by_class, classes=classes, settings=settings)
        tables.append(metric_by_class(folds, classes, by_class, task, name, **keys))
    tables = [table for table in tables if len(table)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
