"""Shared by figures: style, images of spectrograms and masks, legends, saving."""

import matplotlib as mpl
import numpy as np

from tfseg.evaluation.metric import TASKS
from tfseg.io.files import whole_file
from tfseg.reporting.plot_style import system_styles

# For reproducible SVG: a fixed salt for ids, and text instead of glyphs, which depend on fonts.
mpl.rcParams["svg.hashsalt"] = "tfseg"
mpl.rcParams["svg.fonttype"] = "path"
mpl.rcParams["font.size"] = 9
mpl.rcParams["axes.titlesize"] = 9
mpl.rcParams["axes.spines.top"] = False
mpl.rcParams["axes.spines.right"] = False

MASK_MAP, LEVEL_MAP = "magma", "viridis"
_DRAWN = ("tagging", "frame", "event", "mask")
TASK_TITLES = {name: TASKS[name].figure_title for name in _DRAWN}
_LEGEND_LINE_IN, _LEGEND_LETTER_IN = 0.6, 0.09  # width of an entry's line, and of each letter


def save(figure, png_path, svg_path):
    """Write a figure as PNG and SVG, without dates, each whole or not at all."""
    with whole_file(png_path) as path:
        figure.savefig(path, format="png", dpi=200, metadata={"Software": None})
    figure.set_layout_engine("none")  # keep the layout for both files
    with whole_file(svg_path) as path:
        figure.savefig(path, format="svg", metadata={"Date": None})


def line_styles(systems):
    """Return the styles for lines of many points, without markers."""
    return {name: style | {"marker": None} for name, style in system_styles(systems).items()}


def readable(label):
    """Spell a label for readers."""
    return label.replace("_", " ")


def mel_ticks(axis, mel_hz):
    """Label mel bands with frequencies."""
    ticks = [hz for hz in (100, 500, 1000, 2000, 4000, 8000, 16000) if hz < mel_hz[-1]]
    axis.set_yticks(np.interp(ticks, mel_hz, np.arange(len(mel_hz)) + 0.5))
    axis.set_yticklabels([f"{hz / 1000:g}k" if hz >= 1000 else f"{hz}" for hz in ticks])


def show_map(axis, example, values, cmap, low, high):
    """Show values over time and mel bands [shape=(n_frames, n_mels)] on an example's axes."""
    times = example.frame_times_s
    image = axis.imshow(
        values.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(times[0], times[-1], 0, values.shape[1]),
        cmap=cmap,
        vmin=low,
        vmax=high,
        rasterized=True,
    )
    mel_ticks(axis, example.mel_hz)
    return image


def sounding_classes(example):
    """Return the classes in the clip, in order of their onsets."""
    sounding = np.flatnonzero(example.target)
    if example.strong is None:
        return list(sounding)
    return sorted(sounding, key=lambda k: int(np.argmax(example.strong[:, k])))


def legend_above(figure, axis):
    """Draw the legend of `axis` above the figure, in as many rows as its width needs."""
    handles, labels = axis.get_legend_handles_labels()
    entry_in = _LEGEND_LINE_IN + _LEGEND_LETTER_IN * max(map(len, labels))
    per_row = max(1, int(figure.get_figwidth() / entry_in))
    columns = -(-len(labels) // -(-len(labels) // per_row))  # rows of about equal length
    figure.legend(handles, labels, loc="outside upper center", ncols=columns, frameon=False)
