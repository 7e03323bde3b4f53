"""Metrics of the four tasks against SNR."""

import numpy as np
from matplotlib.figure import Figure

from tfseg.evaluation.metric_names import METRICS
from tfseg.evaluation.records import read_metrics
from tfseg.reporting.figures.drawing import TASK_TITLES, legend_above
from tfseg.reporting.plot_style import system_styles
from tfseg.snr import snr_from_number, snr_name

DECLARATION = {
    "order": 5,
    "section": "figures",
    "label": "metrics against SNR",
    "needs": ["metrics"],
    "caption": (
        "Macro-averaged metrics of the four tasks by SNR. Bars are the standard deviation "
        "over folds, the dotted line is chance. Points of one SNR are drawn side "
        "by side."
    ),
}


def draw(inputs, params):
    """Draw the figure of a run."""
    return draw_metrics(read_metrics(inputs.metrics), params.systems)


def _metric_means(rows, snrs):
    """Compute the mean over folds and repeats, and the standard deviation over folds, by SNR."""
    by_snr = rows[rows["fold"] == "all"].groupby("snr_db", dropna=False)["value"]
    folds = rows[~rows["fold"].isin(["all", "pooled"])]
    by_fold = folds.groupby(["snr_db", "fold"], dropna=False)["value"].mean()
    spread = by_fold.groupby("snr_db", dropna=False).std()
    return by_snr.mean().reindex(snrs), spread.reindex(snrs).fillna(0)


def draw_metrics(metrics, systems):
    """Draw macro metrics by SNR, a column per task; bars are standard deviations over folds."""
    panels = {task: ("f1", "auc", "map") for task in TASK_TITLES} | {"event": ("f1", "er")}
    rows = metrics[(metrics["class"] == "macro") & (metrics["variant"] == "published")]
    snrs = sorted(rows["snr_db"].unique())
    names = [snr_name(snr_from_number(snr)).removesuffix(" dB") for snr in snrs]
    figure = Figure(figsize=(9.0, 6.2), layout="constrained")
    axes = figure.subplots(3, len(TASK_TITLES), sharex=True)
    styles = system_styles(systems)
    offsets = np.linspace(-0.05, 0.05, len(systems)) if len(systems) > 1 else [0.0]
    for task, column in zip(TASK_TITLES, axes.T, strict=True):
        column[0].set_title(TASK_TITLES[task])
        shown = panels[task]
        for axis in column[len(shown) :]:
            axis.axis("off")
        for metric, axis in zip(shown, column, strict=False):
            part = rows[(rows["task"] == task) & (rows["metric"] == metric)]
            for index, system in enumerate(systems):
                mean, spread = _metric_means(part[part["system"] == system], snrs)
                axis.errorbar(
                    np.arange(len(snrs)) + offsets[index],
                    mean,
                    yerr=spread,
                    markersize=4,
                    linewidth=1.2,
                    capsize=2,
                    clip_on=False,
                    label=system,
                    **styles[system],
                )
            if part["value"].isna().all():
                axis.text(0.5, 0.55, "no reference", transform=axis.transAxes, ha="center")
            elif metric == "auc":
                axis.axhline(0.5, color="0.6", linewidth=0.8, linestyle=":")  # chance
            axis.set_ylabel(METRICS[metric].label)
            axis.set_ylim(0, None if metric == "er" else 1)
            axis.grid(axis="y", color="0.92")
            axis.set_xlim(-0.5, len(snrs) - 0.5)
            axis.set_xticks(range(len(snrs)), names)
        if not rows["snr_db"].isna().all():
            column[len(shown) - 1].set_xlabel("SNR / dB")
        column[len(shown) - 1].tick_params(labelbottom=True)
    legend_above(figure, axes[0, 0])
    return figure
