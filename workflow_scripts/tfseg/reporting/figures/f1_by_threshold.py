"""F1 as a function of the threshold, with the fixed thresholds of the tables marked."""

import numpy as np
from matplotlib.figure import Figure

from tfseg.datasets import corpus_tables
from tfseg.evaluation.records import MetricSettings
from tfseg.evaluation.scoring import f1_curves, read_fold_scores
from tfseg.features.time_grid import TimeGrid
from tfseg.reporting.figures.drawing import TASK_TITLES, legend_above, line_styles
from tfseg.snr import snr_title

DECLARATION = {
    "order": 7,
    "section": "figures",
    "label": "F1 by threshold",
    "needs": ["scores"],
    "caption": (
        "Macro F1 as a function of the threshold, mean over folds. The dotted line marks the "
        "fixed threshold of the tables. A system whose curve peaks elsewhere has scores on "
        "another scale, so its F1 in the tables is lower than it could be."
    ),
}
_THRESHOLDS = np.logspace(-3, 0, 121)


def draw(inputs, params):
    """Draw the figure of a run."""
    labels = corpus_tables.mixture_labels(
        corpus_tables.read_table(inputs.mixture_events, "mixture_events"),
        corpus_tables.read_table(inputs.mixtures, "mixtures"),
    )
    settings = MetricSettings(**params.metrics)
    curves = mean_curves(params.scored, labels, TimeGrid(**params.grid), settings)
    fixed = {
        "tagging": settings.tag_threshold,
        "frame": settings.frame_threshold,
        "mask": settings.mask_threshold,
    }
    return draw_thresholds(curves, _THRESHOLDS, fixed, params.snr_db)


def mean_curves(scored, labels, grid, settings):
    """Compute F1 at each threshold, averaged over folds.

    Parameters
    ----------
    scored : iterable of dict
        ``system``, and the paths ``scores`` and ``counts`` of one of its held-out folds.
    labels : dict of str to list of (label, onset_s, offset_s)
    grid : TimeGrid
    settings : MetricSettings

    Returns
    -------
    curves : dict of str to dict of str to np.ndarray [shape=(n_thresholds,)]
        By system, then by task.
    """
    by_system = {}
    for one in scored:
        fold, _ = read_fold_scores(one["scores"], one["counts"], {}, labels, grid)
        by_system.setdefault(one["system"], []).append(f1_curves(fold, settings, _THRESHOLDS))
    return {
        system: {task: np.mean([one[task] for one in of_folds], axis=0) for task in of_folds[0]}
        for system, of_folds in by_system.items()
    }


def draw_thresholds(curves, thresholds, fixed, snr_db):
    """Draw macro F1 as a function of the threshold, with one panel per task.

    Parameters
    ----------
    curves : dict of str to dict of str to np.ndarray [shape=(n_thresholds,)]
        By system, then by task.
    thresholds : np.ndarray
    fixed : dict of str to float
        The fixed threshold of the tables, by task.
    snr_db : float or None
        None for clips that were not mixed here.
    """
    figure = Figure(figsize=(9.0, 3.4), layout="constrained")
    axes = figure.subplots(1, len(fixed), sharey=True)
    styles = line_styles(curves)
    for axis, (task, threshold) in zip(axes, fixed.items(), strict=True):
        for system, by_task in curves.items():
            if task in by_task:
                axis.plot(thresholds, by_task[task], label=system, **styles[system])
        axis.axvline(threshold, color="0.4", linewidth=0.8, linestyle=":")
        axis.text(
            threshold, 0.98, f" fixed: {threshold:g}", fontsize=7, va="top", color="0.3",
            transform=axis.get_xaxis_transform(),
        )  # fmt: skip
        axis.set_xscale("log")
        axis.set_xlim(thresholds[0], 1)
        axis.set_title(TASK_TITLES[task])
        axis.set_xlabel("threshold")
        axis.grid(color="0.92")
    axes[0].set_ylim(0, 1)
    axes[0].set_ylabel(f"macro F1, mean over folds\n{snr_title(snr_db)}")
    legend_above(figure, axes[0])
    return figure
