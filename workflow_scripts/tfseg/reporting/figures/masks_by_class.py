"""Masks of one mixture of each class, arranged as JSC Fig. 3."""

import numpy as np
from matplotlib.figure import Figure

from tfseg.reporting.examples import read_class_examples, read_example
from tfseg.reporting.figures.drawing import LEVEL_MAP, MASK_MAP, readable, show_map

DECLARATION = {
    "order": 6,
    "section": "figures",
    "label": "masks of each class (JSC Fig. 3)",
    "needs": ["example"],
    "caption": (
        "Log-mel spectrogram, ideal binary mask and the masks of the systems, for the first "
        "mixture of each class (arranged as Fig. 3 of the ICASSP 2018 paper)."
    ),
}


def draw(inputs, params):
    """Draw the figure of a run."""
    return draw_class_masks(read_example(inputs.example), read_class_examples(inputs.example))


def draw_class_masks(example, class_examples):
    """Draw log-mel, ideal binary mask and every system's mask, a row per class (JSC Fig. 3).

    Parameters
    ----------
    example : tfseg.reporting.examples.Example
        Provides the axes.
    class_examples : list of tfseg.reporting.examples.ClassExample
    """
    systems = list(class_examples[0].masks) if class_examples else []
    columns = ["log-mel", "ideal binary mask", *systems]
    n_rows = max(len(class_examples), 1)
    figure = Figure(figsize=(1.9 * len(columns) + 1, 1.35 * n_rows + 0.7), layout="constrained")
    axes = figure.subplots(n_rows, len(columns), sharex=True, sharey=True, squeeze=False)
    for row, one in zip(axes, class_examples, strict=False):
        low, high = np.percentile(one.logmel, [2, 99.8])
        show_map(row[0], example, one.logmel, LEVEL_MAP, low, high)
        row[0].set_ylabel(f"{readable(one.label)}\nHz")
        for axis, mask in zip(row[1:], [one.ideal, *one.masks.values()], strict=True):
            image = show_map(axis, example, mask, MASK_MAP, 0, 1)
    if class_examples:
        figure.colorbar(image, ax=axes[:, 1:], label="mask", pad=0.01, aspect=40)
    else:
        axes[0, 0].text(0.5, 0.5, "no reference", transform=axes[0, 0].transAxes, ha="center")
    for axis, name in zip(axes[0], columns, strict=True):
        axis.set_title(name)
    for axis in axes[-1]:
        axis.set_xlabel("time / s")
    where = "" if example.snr_db is None else f" at {example.snr_db:g} dB SNR"
    figure.suptitle(f"The first mixture of each class{where}", fontsize=10)
    return figure
