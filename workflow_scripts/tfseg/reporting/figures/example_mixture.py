"""One mixture and its labels, arranged as TASLP Fig. 1."""

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
from tfseg.reporting.plot_style import COLOURS

DECLARATION = {
    "order": 1,
    "section": "figures",
    "label": "a mixture (TASLP Fig. 1)",
    "needs": ["example"],
    "caption": (
        "One mixture at {config[figures][snr_db]} dB: waveform, log-mel spectrogram, ideal "
        "ratio mask, strong labels and weak labels, arranged as TASLP Fig. 1."
    ),
}


def draw(inputs, params):
    """Draw the figure of a run: `inputs` and `params` as ``needs`` asks for them."""
    return draw_mixture(read_example(inputs.example))


def _draw_labels(axis, example, strong):
    """Draw bars for the classes in the clip: during events (strong), or throughout (weak)."""
    sounding, times = sounding_classes(example), example.frame_times_s
    for row, k in enumerate(sounding):
        spans = [(0, len(example.waveform) / example.sample_rate)]
        if strong:
            edges = np.flatnonzero(np.diff(np.r_[0, example.strong[:, k].astype(np.int8), 0]))
            spans = [(times[on], times[off] - times[on]) for on, off in edges.reshape(-1, 2)]
        axis.broken_barh(spans, (row - 0.3, 0.6), color=COLOURS[row % len(COLOURS)])
    axis.set_title("Strong labels" if strong else "Weak labels: the only labels in training")
    axis.set_yticks(range(len(sounding)), [readable(example.classes[k]) for k in sounding])
    axis.set_ylim(len(sounding) - 0.5, -0.5)


def draw_mixture(example):
    """Draw waveform, log-mel, ideal ratio mask, strong and weak labels (TASLP Fig. 1).

    Panels without a reference are left out.
    """
    has_masks, has_strong = example.ratio_masks is not None, example.strong is not None
    heights = [1.2, 2, *([2] if has_masks else []), *([1] if has_strong else []), 1]
    figure = Figure(figsize=(7.2, sum(heights)), layout="constrained")
    axes = iter(figure.subplots(len(heights), 1, sharex=True, height_ratios=heights))
    axis = next(axes)
    axis.plot(
        np.arange(len(example.waveform)) / example.sample_rate,
        example.waveform,
        color="0.25",
        linewidth=0.4,
        rasterized=True,
    )
    axis.set_title(f"Waveform of {example.title}")
    axis.set_ylabel("amplitude")
    axis = next(axes)
    low, high = np.percentile(example.logmel, [2, 99.8])
    levels = show_map(axis, example, example.logmel, LEVEL_MAP, low, high)
    axis.set_title("Log-mel spectrogram")
    axis.set_ylabel("Hz")
    figure.colorbar(levels, ax=axis, label="log magnitude", pad=0.01)
    if has_masks:
        axis = next(axes)
        ideal = np.where(example.strong.T[:, :, None], example.ratio_masks, 0).max(axis=0)
        masks = show_map(axis, example, ideal, MASK_MAP, 0, 1)
        axis.set_title("Ideal ratio mask of the events")
        axis.set_ylabel("Hz")
        figure.colorbar(masks, ax=axis, label="mask", pad=0.01)
    if has_strong:
        _draw_labels(next(axes), example, strong=True)
    axis = next(axes)
    _draw_labels(axis, example, strong=False)
    axis.set_xlabel("time / s")
    axis.set_xlim(0, len(example.waveform) / example.sample_rate)
    return figure
