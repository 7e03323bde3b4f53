"""Masks of every system beside the ideal ones, arranged as TASLP Fig. 7."""

import numpy as np
from matplotlib.figure import Figure

from tfseg.reporting.examples import read_example
from tfseg.reporting.figures.drawing import (
    LEVEL_MAP,
    MASK_MAP,
    readable,
    show_map,
    sounding_classes,
)

DECLARATION = {
    "order": 2,
    "section": "figures",
    "label": "its masks (TASLP Fig. 7)",
    "needs": ["example"],
    "caption": (
        "Masks of each system, learned from weak labels, beside the ideal ratio masks, "
        "arranged as TASLP Fig. 7."
    ),
}


def draw(inputs, params):
    """Draw the figure of a run."""
    return draw_masks(read_example(inputs.example))


def draw_masks(example):
    """Draw the masks of every system beside the ideal ratio masks (TASLP Fig. 7)."""
    sounding = sounding_classes(example)
    silent = [k for k in range(len(example.classes)) if k not in sounding]
    shown = [*sounding, *silent[: max(0, 4 - len(sounding))]]
    rows = [*example.masks, *(["ideal ratio mask"] if example.ratio_masks is not None else [])]
    figure = Figure(
        figsize=(2.1 * len(shown) + 1.2, 1.35 * (len(rows) + 1) + 0.5), layout="constrained"
    )
    axes = figure.subplots(len(rows) + 1, len(shown), sharex=True, sharey=True, squeeze=False)
    low, high = np.percentile(example.logmel, [2, 99.8])
    for column, k in enumerate(shown):
        show_map(axes[0, column], example, example.logmel, LEVEL_MAP, low, high)
        absent = "" if example.target[k] else " (absent)"
        axes[0, column].set_title(f"{readable(example.classes[k])}{absent}")
        for row, name in enumerate(rows, start=1):
            if name in example.masks:
                values = example.masks[name][k]
            else:
                values = example.ratio_masks[k] * example.strong[:, k, None]
            image = show_map(axes[row, column], example, values, MASK_MAP, 0, 1)
            if name in example.masks:
                axes[row, column].text(
                    0.98,
                    0.95,
                    f"tag {example.tags[name][k]:.2f}",
                    transform=axes[row, column].transAxes,
                    ha="right",
                    va="top",
                    color="white",
                    fontsize=7,
                    bbox={"facecolor": "black", "alpha": 0.6, "edgecolor": "none", "pad": 1.5},
                )
    for row, name in enumerate(["log-mel", *rows]):
        axes[row, 0].set_ylabel(f"{name}\nHz")
    for axis in axes[-1]:
        axis.set_xlabel("time / s")
    figure.colorbar(image, ax=axes[1:, :], label="mask", pad=0.01, aspect=40)
    figure.suptitle(
        f"Masks learned from weak labels, {example.title}",
        fontsize=10,
    )
    return figure
