"""The figures: TASLP's 1, 7 and 8 for one mixture, training curves, metrics against SNR."""

import math

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tfseg.evaluation.metric import TASKS
from tfseg.evaluation.metric_names import METRICS
from tfseg.io.files import whole_file
from tfseg.reporting.plot_style import COLOURS, class_look, system_looks
from tfseg.reporting.tables.layout import snr_name

# Reproducible SVG: without a salt its ids, without this text its fonts, differ between machines.
mpl.rcParams["svg.hashsalt"] = "tfseg"
mpl.rcParams["svg.fonttype"] = "path"
mpl.rcParams["font.size"] = 9
mpl.rcParams["axes.titlesize"] = 9
mpl.rcParams["axes.spines.top"] = False
mpl.rcParams["axes.spines.right"] = False

_LEGEND_LINE_IN, _LEGEND_LETTER_IN = 0.6, 0.09  # of an entry: its line, and each letter
_MASK_MAP, _LEVEL_MAP = "magma", "viridis"
_TASKS = ("tagging", "frame", "event", "mask")
_TASK_TITLES = {name: task.figure_title for name, task in TASKS.items()}


def save(figure, png_path, svg_path):
    """Write a figure as PNG and SVG, without dates, each whole or not at all."""
    with whole_file(png_path) as path:
        figure.savefig(path, format="png", dpi=200, metadata={"Software": None})
    figure.set_layout_engine("none")  # found once, it serves both
    with whole_file(svg_path) as path:
        figure.savefig(path, format="svg", metadata={"Date": None})


def _line_looks(systems):
    """Looks for lines of many points: without markers."""
    return {name: look | {"marker": None} for name, look in system_looks(systems).items()}


def _readable(label):
    return label.replace("_", " ")


def _mel_ticks(axis, mel_hz):
    """Label mel bands with the frequencies a reader thinks in."""
    ticks = [hz for hz in (100, 500, 1000, 2000, 4000, 8000, 16000) if hz < mel_hz[-1]]
    axis.set_yticks(np.interp(ticks, mel_hz, np.arange(len(mel_hz)) + 0.5))
    axis.set_yticklabels([f"{hz / 1000:g}k" if hz >= 1000 else f"{hz}" for hz in ticks])


def _image(axis, example, values, cmap, low, high):
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
    _mel_ticks(axis, example.mel_hz)
    return image


def _sounding(example):
    """Classes that sound, in order of their onsets."""
    sounding = np.flatnonzero(example.target)
    if example.strong is None:
        return list(sounding)
    return sorted(sounding, key=lambda k: int(np.argmax(example.strong[:, k])))


def _draw_labels(axis, example, strong):
    """Bars of the classes that sound: where (strong), or over the whole clip (weak)."""
    sounding, times = _sounding(example), example.frame_times_s
    for row, k in enumerate(sounding):
        spans = [(0, len(example.waveform) / example.sample_rate)]
        if strong:
            edges = np.flatnonzero(np.diff(np.r_[0, example.strong[:, k].astype(np.int8), 0]))
            spans = [(times[on], times[off] - times[on]) for on, off in edges.reshape(-1, 2)]
        axis.broken_barh(spans, (row - 0.3, 0.6), color=COLOURS[row % len(COLOURS)])
    axis.set_title("Strong labels" if strong else "Weak labels: all that training sees")
    axis.set_yticks(range(len(sounding)), [_readable(example.classes[k]) for k in sounding])
    axis.set_ylim(len(sounding) - 0.5, -0.5)


def draw_mixture(example):
    """Draw waveform, log-mel, ideal ratio mask, strong and weak labels (TASLP Fig. 1).

    What has no reference is left out.
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
    levels = _image(axis, example, example.logmel, _LEVEL_MAP, low, high)
    axis.set_title("Log-mel spectrogram")
    axis.set_ylabel("Hz")
    figure.colorbar(levels, ax=axis, label="log magnitude", pad=0.01)
    if has_masks:
        axis = next(axes)
        ideal = np.where(example.strong.T[:, :, None], example.ratio_masks, 0).max(axis=0)
        masks = _image(axis, example, ideal, _MASK_MAP, 0, 1)
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


def draw_masks(example):
    """Draw the masks of every system beside the ideal ratio masks (TASLP Fig. 7)."""
    sounding = _sounding(example)
    silent = [k for k in range(len(example.classes)) if k not in sounding]
    shown = [*sounding, *silent[: max(0, 4 - len(sounding))]]
    rows = [*example.masks, *(["ideal ratio mask"] if example.ratio_masks is not None else [])]
    figure = Figure(
        figsize=(2.1 * len(shown) + 1.2, 1.35 * (len(rows) + 1) + 0.5), layout="constrained"
    )
    axes = figure.subplots(len(rows) + 1, len(shown), sharex=True, sharey=True, squeeze=False)
    low, high = np.percentile(example.logmel, [2, 99.8])
    for column, k in enumerate(shown):
        _image(axes[0, column], example, example.logmel, _LEVEL_MAP, low, high)
        absent = "" if example.target[k] else " (absent)"
        axes[0, column].set_title(f"{_readable(example.classes[k])}{absent}")
        for row, name in enumerate(rows, start=1):
            if name in example.masks:
                values = example.masks[name][k]
            else:
                values = example.ratio_masks[k] * example.strong[:, k, None]
            image = _image(axes[row, column], example, values, _MASK_MAP, 0, 1)
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


def draw_class_masks(example, class_examples):
    """Draw log-mel, ideal binary mask and every system's mask, a row per class (JSC Fig. 3).

    Parameters
    ----------
    example : tfseg.reporting.examples.Example
        For the axes.
    class_examples : list of tfseg.reporting.examples.ClassExample
    """
    systems = list(class_examples[0].masks) if class_examples else []
    columns = ["log-mel", "ideal binary mask", *systems]
    n_rows = max(len(class_examples), 1)
    figure = Figure(figsize=(1.9 * len(columns) + 1, 1.35 * n_rows + 0.7), layout="constrained")
    axes = figure.subplots(n_rows, len(columns), sharex=True, sharey=True, squeeze=False)
    for row, one in zip(axes, class_examples, strict=False):
        low, high = np.percentile(one.logmel, [2, 99.8])
        _image(row[0], example, one.logmel, _LEVEL_MAP, low, high)
        row[0].set_ylabel(f"{_readable(one.label)}\nHz")
        for axis, mask in zip(row[1:], [one.ideal, *one.masks.values()], strict=True):
            image = _image(axis, example, mask, _MASK_MAP, 0, 1)
    if class_examples:
        figure.colorbar(image, ax=axes[:, 1:], label="mask", pad=0.01, aspect=40)
    else:
        axes[0, 0].text(0.5, 0.5, "no reference", transform=axes[0, 0].transAxes, ha="center")
    for axis, name in zip(axes[0], columns, strict=True):
        axis.set_title(name)
    for axis in axes[-1]:
        axis.set_xlabel("time / s")
    where = "" if math.isnan(example.snr_db) else f" at {example.snr_db:g} dB SNR"
    figure.suptitle(f"The first mixture of each class{where}", fontsize=10)
    return figure


def draw_thresholds(curves, thresholds, fixed, snr_db):
    """Draw macro F1 against the threshold: a panel per task, the fixed threshold marked.

    Parameters
    ----------
    curves : dict of str to dict of str to np.ndarray [shape=(n_thresholds,)]
        By system, then by task.
    thresholds : np.ndarray
    fixed : dict of str to float
        The threshold that the tables use, by task.
    snr_db : float
        NaN for clips that were not mixed here.
    """
    figure = Figure(figsize=(9.0, 3.4), layout="constrained")
    axes = figure.subplots(1, len(fixed), sharey=True)
    looks = _line_looks(curves)
    for axis, (task, threshold) in zip(axes, fixed.items(), strict=True):
        for system, by_task in curves.items():
            if task in by_task:
                axis.plot(thresholds, by_task[task], label=system, **looks[system])
        axis.axvline(threshold, color="0.4", linewidth=0.8, linestyle=":")
        axis.text(
            threshold, 0.98, f" fixed: {threshold:g}", fontsize=7, va="top", color="0.3",
            transform=axis.get_xaxis_transform(),
        )  # fmt: skip
        axis.set_xscale("log")
        axis.set_xlim(thresholds[0], 1)
        axis.set_title(_TASK_TITLES[task])
        axis.set_xlabel("threshold")
        axis.grid(color="0.92")
    axes[0].set_ylim(0, 1)
    where = "clips as recorded" if math.isnan(snr_db) else f"{snr_name(snr_db)} SNR"
    axes[0].set_ylabel(f"macro F1, mean over folds\n{where}")
    _legend_above(figure, axes[0])
    return figure


def _legend_above(figure, axis):
    """Name what `axis` shows above the figure, in as many rows as its width needs."""
    handles, labels = axis.get_legend_handles_labels()
    entry_in = _LEGEND_LINE_IN + _LEGEND_LETTER_IN * max(map(len, labels))
    per_row = max(1, int(figure.get_figwidth() / entry_in))
    columns = -(-len(labels) // -(-len(labels) // per_row))  # rows of about equal length
    figure.legend(handles, labels, loc="outside upper center", ncols=columns, frameon=False)


def draw_frames(example):
    """Draw frame scores of every system against the true activity (TASLP Fig. 8)."""
    systems = list(example.frames)
    sounding = _sounding(example)
    others = [k for k in range(len(example.classes)) if k not in sounding]
    n_panels = len(systems) + (example.strong is not None)
    figure = Figure(figsize=(7.2, 1.5 * n_panels + 0.7), layout="constrained")
    axes = figure.subplots(n_panels, 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    times = example.frame_times_s[:-1]
    for axis, system in zip(axes, systems, strict=False):
        scores = example.frames[system]
        for k in others:
            axis.plot(times, scores[k], color="0.75", linewidth=0.8)
        for index, k in enumerate(sounding):
            axis.plot(times, scores[k], **class_look(index))
        kind = ": mask averaged over mel bands" if system in example.masks else ""
        axis.set_title(f"{system}{kind}")
        axis.set_ylabel("score")
        axis.grid(axis="y", color="0.92")
    for index, k in enumerate(sounding):
        look = class_look(index)
        name = _readable(example.classes[k])
        if example.strong is None:
            axes[-1].plot([], [], label=name, **look)
        else:
            axes[-1].step(times, example.strong[:, k], where="post", label=name, **look)
    axes[-1].plot([], [], color="0.75", label="classes that do not sound")
    if example.strong is not None:
        axes[-1].set_title("True activity")
        axes[-1].set_ylabel("active")
    axes[-1].set_ylim(-0.03, 1.05)
    axes[-1].set_xlim(0, example.frame_times_s[-1])
    axes[-1].set_xlabel("time / s")
    figure.legend(loc="outside lower center", ncols=len(sounding) + 1, frameon=False)
    figure.suptitle(f"Frame scores, {example.title}", fontsize=10)
    return figure


def read_histories(paths, names):
    """Join training histories; `names` holds "snr system fold repeat" for each path."""
    parts = []
    for path, name in zip(paths, names, strict=True):
        snr, system, fold, repeat = name.split()
        parts.append(pd.read_csv(path).assign(snr=snr, system=system, fold=fold, repeat=repeat))
    return pd.concat(parts, ignore_index=True)


def draw_training(histories, systems):
    """Draw loss against iteration: a panel per SNR, a thin line per training, means in bold."""
    snrs = list(dict.fromkeys(histories["snr"]))
    figure = Figure(figsize=(max(2.6 * len(snrs) + 0.8, 5.0), 3.0), layout="constrained")
    axes = figure.subplots(1, len(snrs), sharey=True, squeeze=False)[0]
    looks = _line_looks(systems)
    for axis, snr in zip(axes, snrs, strict=True):
        for system in systems:
            rows = histories[(histories["snr"] == snr) & (histories["system"] == system)]
            for _, single in rows.groupby(["fold", "repeat"]):
                axis.plot(
                    single["iteration"],
                    single["loss"],
                    color=looks[system]["color"],
                    linewidth=0.5,
                    alpha=0.6,
                )
            mean = rows.groupby("iteration")["loss"].mean()
            axis.plot(mean.index, mean, linewidth=1.8, label=system, **looks[system])
        axis.set_title("clips as recorded" if snr == "none" else f"{snr} dB SNR")
        axis.set_xlabel("iteration")
        axis.grid(color="0.92")
    axes[0].set_ylabel("binary cross-entropy")
    axes[0].set_ylim(bottom=0)
    _legend_above(figure, axes[0])
    return figure


def _metric_means(rows, snrs):
    """Mean over folds and repeats, and standard deviation over folds, by SNR."""
    by_snr = rows[rows["fold"] == "all"].groupby("snr_db", dropna=False)["value"]
    folds = rows[~rows["fold"].isin(["all", "pooled"])]
    by_fold = folds.groupby(["snr_db", "fold"], dropna=False)["value"].mean()
    spread = by_fold.groupby("snr_db", dropna=False).std()
    return by_snr.mean().reindex(snrs), spread.reindex(snrs).fillna(0)


def draw_metrics(metrics, systems):
    """Draw macro metrics against SNR, a column per task; bars are deviations over folds."""
    panels = {task: ("f1", "auc", "map") for task in _TASKS} | {"event": ("f1", "er")}
    rows = metrics[(metrics["class"] == "macro") & (metrics["variant"] == "published")]
    snrs = sorted(rows["snr_db"].unique())
    figure = Figure(figsize=(9.0, 6.2), layout="constrained")
    axes = figure.subplots(3, len(_TASKS), sharex=True)
    looks = system_looks(systems)
    offsets = np.linspace(-0.05, 0.05, len(systems)) if len(systems) > 1 else [0.0]
    for task, column in zip(_TASKS, axes.T, strict=True):
        column[0].set_title(_TASK_TITLES[task])
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
                    **looks[system],
                )
            if part["value"].isna().all():
                axis.text(0.5, 0.55, "no reference", transform=axis.transAxes, ha="center")
            elif metric == "auc":
                axis.axhline(0.5, color="0.6", linewidth=0.8, linestyle=":")  # chance
            axis.set_ylabel(METRICS[metric].label)
            axis.set_ylim(0, None if metric == "er" else 1)
            axis.grid(axis="y", color="0.92")
            axis.set_xlim(-0.5, len(snrs) - 0.5)
            axis.set_xticks(range(len(snrs)), [snr_name(snr).removesuffix(" dB") for snr in snrs])
        if not rows["snr_db"].isna().all():
            column[len(shown) - 1].set_xlabel("SNR / dB")
        column[len(shown) - 1].tick_params(labelbottom=True)
    _legend_above(figure, axes[0, 0])
    return figure


def draw_recording(title, logmel, levels, mel_hz, lanes, duration_s):
    """Draw a whole recording: its log-mel spectrogram, and where each class was found.

    Parameters
    ----------
    title : str
    logmel : np.ndarray [shape=(n_columns, n_mels)]
        Columns of equal length.
    levels : (float, float)
        Values of the darkest and of the brightest colour.
    mel_hz : np.ndarray [shape=(n_mels,)]
    lanes : dict of str to list of (onset_s, offset_s)
        By class, in the order to draw.
    duration_s : float

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    height_in = 0.35 + 0.25 * max(len(lanes), 1)
    figure = Figure(figsize=(9, 2.4 + height_in), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2, height_in])
    above.imshow(
        logmel.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(0, duration_s, 0, logmel.shape[1]),
        cmap=_LEVEL_MAP,
        vmin=levels[0],
        vmax=levels[1],
        rasterized=True,
    )
    _mel_ticks(above, mel_hz)
    above.set_ylabel("Hz")
    above.set_title(title, loc="left", parse_math=False)
    for row, events in enumerate(lanes.values()):
        spans = [(onset_s, offset_s - onset_s) for onset_s, offset_s in events]
        below.broken_barh(spans, (row - 0.35, 0.7), color=COLOURS[row % len(COLOURS)])
    below.set_yticks(range(len(lanes)), [_readable(label) for label in lanes])
    below.set_ylim(max(len(lanes), 1) - 0.5, -0.5)
    below.set_xlabel("time, s")
    if not lanes:
        below.text(duration_s / 2, 0, "nothing found", ha="center", va="center")
    return figure
