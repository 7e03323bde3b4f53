"""The leaderboard: a row per system, with its metrics in every task and its cost."""

from pathlib import Path

import numpy as np
import pandas as pd

from tfseg.evaluation.metric import TASKS
from tfseg.evaluation.metric_names import METRICS
from tfseg.io.files import write_csv
from tfseg.reporting.tables.leaderboard import TABLE
from tfseg.reporting.tables.writers import DASH, write_printed

# Of a value and of its interval, in the CSV.
_ENDINGS = ("", "_low", "_high")


def heading(column):
    """Heading of a column: the metric's own, behind the task's where several tasks have it."""
    metric = METRICS[column.metric]
    several = len(metric.tasks) > 1
    return f"{TASKS[column.task].short} {metric.heading}" if several else metric.heading_with_unit


def _digits(column):
    """Decimal places: a hundredth of a decibel is less than can be heard."""
    return 2 if METRICS[column.metric].unit == "dB" else 3


def csv_name(column, ending=""):
    """What the CSV calls a column."""
    return f"{column.task}_{column.metric}{ending}"


def read_intervals(path):
    """Read ``intervals.csv``: every key as text, every number as a number."""
    numbers = ("value", "low", "high", "level")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    return frame.assign(**{name: pd.to_numeric(frame[name]) for name in numbers})


def _with_interval(intervals, column, system):
    """Return value, low and high over all SNRs and repeats; None without such a column."""
    keys = {
        "task": column.task,
        "metric": column.metric,
        "variant": column.variant,
        "system": system,
        "snr_db": "all",
    }
    rows = intervals[(intervals[list(keys)] == pd.Series(keys)).all(axis=1)]
    # With several repeats the last row is their mean; otherwise there is only one row.
    return None if rows.empty else rows.iloc[-1][["value", "low", "high"]].tolist()


def _mean(metrics, column, system):
    """Mean over SNRs and repeats, with the clips of all folds scored as one set."""
    rows = metrics[
        (metrics["task"] == column.task)
        & (metrics["metric"] == column.metric)
        & (metrics["variant"] == column.variant)
        & (metrics["system"] == system)
        & (metrics["class"] == "macro")
        & (metrics["fold"] == "pooled")
    ]
    return float(rows["value"].mean()) if len(rows) else np.nan


def leaderboard(metrics, intervals, costs):
    """Lay out the leaderboard.

    Parameters
    ----------
    metrics : pd.DataFrame
        As `tfseg.evaluation.records.read_metrics` returns.
    intervals : pd.DataFrame
        As `read_intervals` returns.
    costs : dict of str to (int, int)
        By system, in the order of the rows: parameters, and MACs per clip.

    Returns
    -------
    table : pd.DataFrame
        system; each column ``{task}_{metric}``, with ``_low`` and ``_high`` where there is an
        interval; parameters; mac_per_clip. Missing values are NaN. Values are means over SNRs and
        repeats, with the clips of all folds scored as one set.
    """
    rows = []
    for system, (n_parameters, macs) in costs.items():
        row = {"system": system}
        for column in TABLE.columns:
            of_run = _with_interval(intervals, column, system)
            if of_run is not None:
                row |= {csv_name(column, e): v for e, v in zip(_ENDINGS, of_run, strict=True)}
            else:
                row[csv_name(column)] = _mean(metrics, column, system)
        rows.append(row | {"parameters": n_parameters, "mac_per_clip": macs})
    names = [
        csv_name(column, ending)
        for column in TABLE.columns
        for ending in (_ENDINGS if column.has_interval else _ENDINGS[:1])
    ]
    return pd.DataFrame(rows, columns=["system", *names, "parameters", "mac_per_clip"])


def cell_of(row, column):
    """Return what stands in a cell: the value, and its interval or nothing.

    Parameters
    ----------
    row : pd.Series
        A row of `leaderboard`.
    column : tfseg.reporting.tables.declaration.Column
    """
    if pd.isna(row[csv_name(column)]):
        return DASH, ""
    numbers = [row.get(csv_name(column, ending), np.nan) for ending in _ENDINGS]
    value, low, high = (f"{number:.{_digits(column)}f}" for number in numbers)
    return value, "" if pd.isna(numbers[1]) else f"[{low}, {high}]"


def printed_grid(table):
    """Arrange the leaderboard for printing: headings, and rows of cells."""
    headings = ["System", *map(heading, TABLE.columns), "parameters", "MMAC"]
    rows = [
        [
            row["system"],
            *(" ".join(filter(None, cell_of(row, column))) for column in TABLE.columns),
            f"{row['parameters']:,}".replace(",", " "),
            f"{row['mac_per_clip'] / 1e6:.1f}",
        ]
        for _, row in table.iterrows()
    ]
    return headings, rows


def write(path, table, title):
    """Write the leaderboard as CSV, Markdown or LaTeX, by the ending of `path`."""
    if Path(path).suffix == ".csv":
        write_csv(path, table)
    else:
        headings, rows = printed_grid(table)
        write_printed(path, headings, rows, title)
