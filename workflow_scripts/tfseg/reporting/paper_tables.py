"""The paper's tables from the tidy metrics: ours, the paper's, and the difference.

Each table exists three times: CSV with a value per row, Markdown to read, LaTeX to print.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tfseg import __version__
from tfseg.errors import TableError
from tfseg.evaluation.records import MetricSettings
from tfseg.io.files import write_csv, write_text

_TITLES = {
    "tagging": "Audio tagging",
    "frame": "Frame-wise sound event detection",
    "event": "Event-wise sound event detection",
    "mask": "Time-frequency segmentation",
}
# By task and arrangement; where both papers print one, their numbers are of different form.
_PAPER_TABLE = {
    ("tagging", "snr"): "II",
    ("tagging", "class"): "III",
    ("frame", "class"): "IV",
    ("frame", "snr"): "V",
    ("event", "snr"): "VI",
    ("event", "class"): "VII",
    ("mask", "class"): "VIII",
    ("mask", "snr"): "IX",
    ("separation", "measure"): "1",
    ("frame", "eer"): "2",
}
_METRICS = {
    "tagging": ["f1", "auc", "map"],
    "frame": ["f1", "auc", "map"],
    "event": ["f1", "er", "deletion", "insertion"],
    "mask": ["f1", "auc", "map"],
}
# Fixed thresholds beside those that were chosen on validation clips.
_TUNED = [f"{task}_f1{ending}" for task in _METRICS for ending in ("", "_tuned")]
# What each arrangement shows beside the four above: classes as columns, as JSC prints them.
_BY_SYSTEM = {
    "separation": (
        "separation",
        "measure",
        [
            "sdr",
            "sir",
            "sar",
            "si_sdr",
            "sdr_improvement",
            "si_sdr_improvement",
            "silent_estimates",
        ],
    ),
    "frame_eer": ("frame", "eer", ["eer"]),
}
# What is compared with a probe that knows only the time (tfseg.evaluation.onset_prior).
TIME_INDEX = "time_index"
_PROBED = [("frame", "f1"), ("frame", "map"), ("event", "f1")]
# Rows that are no system: what the papers compare with.
_REFERENCE_ROWS = ["no_separation", "ibm", "irm"]
_PRINTED_COLUMNS = 12
HEADINGS = {
    "f1": "F1",
    "auc": "AUC",
    "map": "mAP",
    "er": "ER",
    "deletion": "D",
    "insertion": "I",
    "sdr": "SDR",
    "sir": "SIR",
    "sar": "SAR",
    "si_sdr": "SI-SDR",
    "sdr_improvement": "SDRi",
    "si_sdr_improvement": "SI-SDRi",
    "silent_estimates": "silent",
    "eer": "EER",
}
HEADINGS |= {name: name.replace("_f1", " F1").replace("_", " ") for name in _TUNED}
_DASH = "–"


@dataclass(frozen=True)
class Layout:
    """What a table's rows and columns are.

    Parameters
    ----------
    systems, classes : sequence of str
    snr_db : sequence of float
        A single NaN for clips that were not mixed here.
    by_class_snr_db : float
        SNR that the printed tables by class show; their CSV holds every SNR.
    metric_settings : MetricSettings
        For the caption, and for which error rate the event table shows.
    mask_systems : sequence of str
        Those of the systems that have masks.
    paper_name : str or None
        ``compare_with`` of the config.
    n_separated : int or None
        Mixtures of a fold that separation was scored on; None for all.
    """

    systems: list
    classes: list
    snr_db: list
    by_class_snr_db: float
    metric_settings: MetricSettings
    mask_systems: list | tuple = ()
    paper_name: str | None = None
    n_separated: int | None = None


def read_paper(path):
    """Read a paper's printed values (``resources/paper_tables``)."""
    frame = pd.read_csv(str(path))
    columns = ["table", "task", "metric", "class", "snr_db", "system", "value"]
    if list(frame.columns) != columns:
        raise TableError(f"{path}: expected the columns {columns}, found {list(frame.columns)}")
    return frame.rename(columns={"value": "paper"})


def _ours(metrics, layout, variant):
    """Mean over folds and repeats of every value, and its standard deviation over folds."""
    rows = metrics[metrics["variant"] == variant]
    if variant == "published" and layout.metric_settings.error_rate == "overall":
        rates = ["er", "deletion", "insertion"]
        rows = rows[~((rows["task"] == "event") & rows["metric"].isin(rates))]
        overall = (metrics["variant"] == "overall") & metrics["metric"].isin(rates)
        rows = pd.concat([rows, metrics[overall]])
    keys = ["task", "metric", "class", "snr_db", "system"]
    ours = (
        rows[rows["fold"] == "all"]
        .groupby(keys, sort=False, dropna=False)["value"]
        .mean()
        .rename("ours")
    )
    single = rows[~rows["fold"].isin(["all", "pooled"])]
    by_fold = single.groupby([*keys, "fold"], sort=False, dropna=False)["value"].mean()
    spread = by_fold.groupby(keys, sort=False, dropna=False).std(ddof=1).rename("fold_std")
    return pd.concat([ours, spread], axis=1).reset_index()


def table_rows(metrics, paper, layout, task, by):
    """One table with a value per row.

    Parameters
    ----------
    metrics : pd.DataFrame
        As `tfseg.evaluation.records.read_metrics` returns.
    paper : pd.DataFrame or None
        As `read_paper` returns; `None` where the corpus is not the paper's.
    layout : Layout
    task : {"tagging", "frame", "event", "mask"}
    by : {"snr", "class"}

    Returns
    -------
    table : pd.DataFrame
        snr_db, system, class, metric, ours, fold_std, paper, difference (ours minus paper);
        values that do not exist are NaN.
    """
    wanted = pd.MultiIndex.from_product(
        [
            layout.snr_db,
            layout.systems,
            ["macro"] if by == "snr" else [*layout.classes, "macro"],
            _METRICS[task] if by == "snr" else ["f1"],
        ],
        names=["snr_db", "system", "class", "metric"],
    ).to_frame(index=False)
    return _joined(wanted, metrics, paper, layout, task, by)


def _joined(wanted, metrics, paper, layout, task, by, variant="published"):
    """Ours, the paper's value and the difference for every wanted cell."""
    ours = _ours(metrics, layout, variant)
    wanted["snr_db"] = wanted["snr_db"].astype(float)
    keys = list(wanted.columns)
    table = wanted.merge(ours[ours["task"] == task].drop(columns="task"), how="left", on=keys)
    if paper is None:
        table["paper"] = np.nan
    else:
        printed = paper[(paper["task"] == task) & (paper["table"] == _PAPER_TABLE[task, by])]
        printed = printed[[*keys, "paper"]].astype({"snr_db": float})
        table = table.merge(printed, how="left", on=keys)
    table["difference"] = table["ours"] - table["paper"]
    return table


def tuned_rows(metrics, layout):
    """F1 of the four tasks at the fixed thresholds and at those chosen on validation clips.

    Parameters
    ----------
    metrics : pd.DataFrame
        As `tfseg.evaluation.records.read_metrics` returns.
    layout : Layout

    Returns
    -------
    table : pd.DataFrame
        Columns as of `table_rows`; the metric is e.g. ``tagging_f1`` or ``tagging_f1_tuned``.
    """
    parts = []
    for variant, ending in (("published", ""), ("tuned", "_tuned")):
        ours = _ours(metrics, layout, variant)
        ours = ours[(ours["metric"] == "f1") & (ours["class"] == "macro")]
        parts.append(ours.assign(metric=ours["task"] + "_f1" + ending).drop(columns="task"))
    wanted = pd.MultiIndex.from_product(
        [layout.snr_db, layout.systems, ["macro"], _TUNED],
        names=["snr_db", "system", "class", "metric"],
    ).to_frame(index=False)
    wanted["snr_db"] = wanted["snr_db"].astype(float)
    table = wanted.merge(pd.concat(parts), how="left", on=list(wanted.columns))
    return table.assign(paper=np.nan, difference=np.nan)


def system_rows(metrics, paper, layout, name):
    """Rows of a table that JSC prints with a row per system: ``separation`` or ``frame_eer``.

    Parameters and result as for `table_rows`, every class and its mean in one table.
    """
    task, by, measures = _BY_SYSTEM[name]
    systems = layout.systems
    if name == "separation":
        systems = [*_REFERENCE_ROWS, *layout.mask_systems]
    wanted = pd.MultiIndex.from_product(
        [layout.snr_db, systems, [*layout.classes, "macro"], measures],
        names=["snr_db", "system", "class", "metric"],
    ).to_frame(index=False)
    return _joined(wanted, metrics, paper, layout, task, by)


def time_index_rows(metrics, layout):
    """Rows of the table that sets each system beside the probe that knows only the time.

    Parameters
    ----------
    metrics, layout
        As for `table_rows`.

    Returns
    -------
    table : pd.DataFrame
        snr_db, system, class (``macro``), task, metric, variant (``published``, ``time_index``),
        ours, fold_std, paper, difference. The last two are empty: what the papers print stands in
        the tables of the tasks.
    """
    parts = []
    for task, metric in _PROBED:
        for variant in ("published", TIME_INDEX):
            wanted = pd.MultiIndex.from_product(
                [layout.snr_db, layout.systems, ["macro"], [metric]],
                names=["snr_db", "system", "class", "metric"],
            ).to_frame(index=False)
            part = _joined(wanted, metrics, None, layout, task, "snr", variant)
            part.insert(3, "task", task)
            part.insert(5, "variant", variant)
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def time_index_headings(table):
    """Heading of the column that each row of `time_index_rows` stands in."""
    probe = np.where(table["variant"] == TIME_INDEX, " of the probe", "")
    return table["task"] + " " + table["metric"].map(HEADINGS) + probe


def time_index_grid(table, layout):
    """Arrange that table as it is printed: a row per SNR and system."""
    headings = time_index_headings(table)
    cells = {
        (snr_name(row.snr_db), row.system, heading): _cell(row)
        for row, heading in zip(table.itertuples(index=False), headings, strict=True)
    }
    several = len(layout.snr_db) > 1
    columns = list(dict.fromkeys(headings))
    rows = [
        [
            *([snr_name(snr)] if several else []),
            system,
            *(cells[snr_name(snr), system, heading] for heading in columns),
        ]
        for snr in layout.snr_db
        for system in layout.systems
    ]
    return [*(["SNR"] if several else []), "System", *columns], rows


def system_grid(table, layout, name):
    """Arrange such a table as it is printed: a row per SNR and system, classes side by side.

    Where they do not fit a page only their mean is printed, and the CSV holds all.
    """
    measures = _BY_SYSTEM[name][2]
    columns = [(label, m) for label in layout.classes for m in measures[:3]]
    columns = columns if len(columns) <= _PRINTED_COLUMNS else []
    columns += [("macro", m) for m in measures]
    several = len(layout.snr_db) > 1
    headings = [*(["SNR"] if several else []), "System"]
    headings += [f"{'mean' if k == 'macro' else k} {HEADINGS[m]}" for k, m in columns]
    cells = {
        (snr_name(row.snr_db), row.system, row.label, row.metric): _cell(row)
        for row in table.rename(columns={"class": "label"}).itertuples(index=False)
    }
    rows = [
        [
            *([snr_name(snr)] if several else []),
            system,
            *(cells[snr_name(snr), system, k, m] for k, m in columns),
        ]
        for snr in layout.snr_db
        for system in dict.fromkeys(table["system"])
    ]
    return headings, rows


def system_caption(layout, name, has_paper):
    """Caption of such a table."""
    if name == "frame_eer":
        text = "Frame-wise equal error rate: mean over folds ± standard deviation over folds."
    else:
        drawn = (
            "all mixtures"
            if layout.n_separated is None
            else (f"{layout.n_separated} mixtures of each fold, drawn at random")
        )
        text = (
            "Separation in dB, whole clip, classes that sound (oracle tags): mean over folds ± standard "
            f"deviation over folds ({drawn}). no_separation is the mixture as it is, without "
            "artefacts: its SAR is rounding; ibm and irm are the ideal binary and ratio masks; silent "
            "counts estimates without sound, which have no score and are left out of the means."
        )
    if has_paper and layout.paper_name == "jsc2018":
        text += f" In parentheses: ICASSP 2018, Table {_PAPER_TABLE[_BY_SYSTEM[name][:2]]}."
    return text


def time_index_caption(layout):
    """Caption of the table of `time_index_rows`."""
    settings = layout.metric_settings
    return (
        "What the time explains: mean over folds ± standard deviation over folds. The probe hears nothing: "
        "it knows the system's tags of a mixture, and how often a class that is in a mixture sounds in each "
        "frame of those trained on. What a system has beyond it, it has from listening "
        f"(tags above {settings.tag_threshold}, frames above {settings.frame_threshold}; events with a collar "
        f"of {settings.collar_s} s)."
    )


def caption(layout, task, by, has_paper):
    """Caption of a printed table: what was measured, and by which fixed settings."""
    settings = layout.metric_settings
    text = {
        "tagging": f"clips, threshold {settings.tag_threshold}",
        "frame": f"frames, threshold {settings.frame_threshold}, "
        + ("zero where the tag is not positive" if settings.tag_gate else "not gated by tags"),
        "event": f"events, collar {settings.collar_s} s, offset {settings.offset_fraction:.0%}, "
        f"{settings.error_rate.replace('_', '-')} error rate",
        "mask": f"T-F units against the ideal binary mask, threshold {settings.mask_threshold}",
    }[task]
    where = f" by class, {snr_name(layout.by_class_snr_db)}, F1"
    if by == "snr":
        where = "" if math.isnan(layout.by_class_snr_db) else " by SNR"
    compared = ""
    if has_paper and layout.paper_name == "tfseg2019":
        compared = f" In parentheses: TASLP 2019, Table {_PAPER_TABLE[task, by]}."
    return f"{_TITLES[task]}{where}: mean over folds ± standard deviation over folds ({text}).{compared}"


def tuned_caption(layout):
    """Caption of the table of tuned thresholds."""
    where = "" if math.isnan(layout.by_class_snr_db) else " by SNR"
    return (
        f"Thresholds chosen on validation clips{where}: mean F1 over folds ± standard deviation over "
        "folds, at the fixed thresholds of the other tables and (tuned) at those of each class that were "
        "best on clips which are neither trained on nor scored. A dash: nothing was tuned."
    )


def snr_name(snr_db):
    """Text for an SNR in a heading."""
    return "as recorded" if math.isnan(snr_db) else f"{snr_db:g} dB"


def _cell(row):
    """Text of one printed cell: ours ± spread, and the paper's value where there is one."""
    if pd.isna(row.ours):
        ours = _DASH
    else:
        spread = "" if pd.isna(row.fold_std) else f" ± {row.fold_std:.3f}"
        ours = f"{row.ours:.3f}{spread}"
    return ours if pd.isna(row.paper) else f"{ours} ({row.paper:.3f})"


def printed_grid(table, layout, by):
    """Arrange a table as it is printed.

    Returns
    -------
    headings : list of str
    rows : list of list of str
        By SNR: a row per system, columns grouped by SNR. By class: a row per class, a column
        per system (the paper prints classes as columns; 41 columns do not fit a page).
    """
    cells = {
        (snr_name(row.snr_db), row.system, row.label, row.metric): _cell(row)
        for row in table.rename(columns={"class": "label"}).itertuples(index=False)
    }
    if by == "snr":
        metrics = list(dict.fromkeys(table["metric"]))
        columns = [(snr_name(snr), metric) for snr in layout.snr_db for metric in metrics]
        headings = ["System", *(f"{snr} {HEADINGS[metric]}" for snr, metric in columns)]
        rows = [
            [system, *(cells[snr, system, "macro", metric] for snr, metric in columns)]
            for system in layout.systems
        ]
    else:
        snr = snr_name(layout.by_class_snr_db)
        headings = ["Class", *layout.systems]
        rows = [
            [label, *(cells[snr, system, label, "f1"] for system in layout.systems)]
            for label in [*layout.classes, "macro"]
        ]
    return headings, rows


def _markdown(headings, rows, title):
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return f"{title}\n\n" + "\n".join(lines) + "\n"


def _latex_text(text):
    for plain, escaped in (("\\", r"\textbackslash{}"), ("_", r"\_"), ("%", r"\%"), ("&", r"\&")):
        text = text.replace(plain, escaped)
    return text.replace("±", r"$\pm$").replace(_DASH, "--")


def _latex(headings, rows, title):
    body = "\n".join(" & ".join(map(_latex_text, row)) + r" \\" for row in rows)
    return (
        f"% tfseg {__version__}; needs \\usepackage{{booktabs}}\n"
        "\\begin{table}\n\\centering\n"
        f"\\caption{{{_latex_text(title)}}}\n"
        f"\\begin{{tabular}}{{l{'r' * (len(headings) - 1)}}}\n\\toprule\n"
        + " & ".join(map(_latex_text, headings))
        + " \\\\\n\\midrule\n"
        + body
        + "\n\\bottomrule\n\\end{tabular}\n\\end{table}\n"
    )


def write_printed(path, headings, rows, title):
    """Write a table as it is printed, in Markdown or LaTeX by the ending of `path`."""
    render = {".md": _markdown, ".tex": _latex}[Path(path).suffix]
    write_text(path, render(headings, rows, title))


def write(path, metrics, paper, layout):
    """Write one table; its file name says which.

    ``{task}_by_{snr|class}``, ``tuned_by_snr``, ``separation``, ``frame_eer`` or ``time_index``,
    each as csv, md and tex.

    Parameters
    ----------
    path : path-like
    metrics, paper, layout
        As for `table_rows`.
    """
    path = Path(path)
    has_paper = paper is not None
    if path.stem in _BY_SYSTEM:
        table = system_rows(metrics, paper, layout, path.stem)
        headings, rows = system_grid(table, layout, path.stem)
        title = system_caption(layout, path.stem, has_paper)
    elif path.stem == TIME_INDEX:
        table = time_index_rows(metrics, layout)
        headings, rows = time_index_grid(table, layout)
        title = time_index_caption(layout)
    elif path.stem == "tuned_by_snr":
        table = tuned_rows(metrics, layout)
        headings, rows = printed_grid(table, layout, "snr")
        title = tuned_caption(layout)
    else:
        task, by = path.stem.split("_by_")
        table = table_rows(metrics, paper, layout, task, by)
        headings, rows = printed_grid(table, layout, by)
        title = caption(layout, task, by, has_paper)
    if path.suffix == ".csv":
        write_csv(path, table)
    else:
        write_printed(path, headings, rows, title)
