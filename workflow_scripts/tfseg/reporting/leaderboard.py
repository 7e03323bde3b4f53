"""The leaderboard: a row per system, with its metrics in every task and its cost."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tfseg.evaluation.metric import TASKS
from tfseg.evaluation.metric_names import METRICS
from tfseg.io.files import write_csv
from tfseg.reporting.tables.writers import DASH, write_printed


@dataclass(frozen=True)
class Measure:
    """A column of the leaderboard: a macro metric and its format."""

    task: str
    metric: str
    variant: str = "published"

    @property
    def heading(self):
        """Heading of the metric, after that of the task if several tasks have the metric."""
        metric = METRICS[self.metric]
        several = len(metric.tasks) > 1
        return f"{TASKS[self.task].short} {metric.heading}" if several else metric.heading_with_unit

    @property
    def digits(self):
        """Decimal places; fewer for decibels."""
        return 2 if METRICS[self.metric].unit == "dB" else 3


MEASURES = [
    Measure("tagging", "map"),
    Measure("frame", "f1"),
    Measure("event", "f1"),
    Measure("mask", "f1"),
    Measure("separation", "si_sdr_improvement"),
    Measure("separation", "capi_sdri", "predicted_tags"),
    Measure("event", "psds1", "ungated"),
    Measure("event", "psds2", "ungated"),
]


def read_intervals(path):
    """Read ``intervals.csv``: every key as text, every number as a number."""
    numbers = ("value", "low", "high", "level")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    return frame.assign(**{name: pd.to_numeric(frame[name]) for name in numbers})


def _with_interval(intervals, measure, system):
    """Return value, low and high over all SNRs and repeats; None without such a measure."""
    keys = {
        "task": measure.task,
        "metric": measure.metric,
        "variant": measure.variant,
        "system": system,
        "snr_db": "all",
    }
    rows = intervals[(intervals[list(keys)] == pd.Series(keys)).all(axis=1)]
    # With several repeats the last row is their mean; otherwise there is only one row.
    return None if rows.empty else rows.iloc[-1][["value", "low", "high"]].tolist()


def _mean(metrics, measure, system):
    """Mean over SNRs and repeats, with the clips of all folds scored as one set."""
    rows = metrics[
        (metrics["task"] == measure.task)
        & (metrics["metric"] == measure.metric)
        & (metrics["variant"] == measure.variant)
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
        system; each measure ``{task}_{metric}``, with ``_low`` and ``_high`` where there is an
        interval; parameters; mac_per_clip. Missing values are NaN. Values are means over SNRs and
        repeats, with the clips of all folds scored as one set.
    """
    rows = []
    for system, (n_parameters, macs) in costs.items():
        row = {"system": system}
        for measure in MEASURES:
            name = f"{measure.task}_{measure.metric}"
            found = _with_interval(intervals, measure, system)
            if found is not None:
                row |= dict(zip((name, f"{name}_low", f"{name}_high"), found, strict=True))
            else:
                row[name] = _mean(metrics, measure, system)
        rows.append(row | {"parameters": n_parameters, "mac_per_clip": macs})
    names = [
        name
        for measure in MEASURES
        for name in (f"{measure.task}_{measure.metric}{end}" for end in ("", "_low", "_high"))
        if measure.metric not in ("psds1", "psds2") or not name.endswith(("_low", "_high"))
    ]
    return pd.DataFrame(rows, columns=["system", *names, "parameters", "mac_per_clip"])


def cell_texts(row, measure):
    """Texts of a measure's cell: the value, and its interval or an empty text.

    Parameters
    ----------
    row : pd.Series
        A row of `leaderboard`.
    measure : Measure
    """
    name = f"{measure.task}_{measure.metric}"
    if pd.isna(row[name]):
        return DASH, ""
    value, low, high = (
        f"{row.get(key, np.nan):.{measure.digits}f}"
        for key in (name, f"{name}_low", f"{name}_high")
    )
    return value, "" if pd.isna(row.get(f"{name}_low", np.nan)) else f"[{low}, {high}]"


def caption(clip_s, n_resamples):
    """Caption of the printed table."""
    return (
        "Leaderboard: means over SNRs and repeats, with the clips of all held-out folds as one "
        f"set. Brackets: 95 % intervals from {n_resamples} resamples of the clips. Tags, frames, "
        "events and masks use the fixed thresholds, PSDS the raw frame scores. SI-SDRi uses oracle "
        "tags, CAPI-SDRi predicted tags. A dash: the system or the corpus has no such value, or "
        "the PSDS package is not installed. MMAC: millions of multiply-accumulates per clip "
        f"of {clip_s:g} s."
    )


def printed_grid(table):
    """Arrange the leaderboard for printing: headings, and rows of texts."""
    headings = ["System", *(measure.heading for measure in MEASURES), "parameters", "MMAC"]
    rows = [
        [
            row["system"],
            *(" ".join(filter(None, cell_texts(row, measure))) for measure in MEASURES),
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
