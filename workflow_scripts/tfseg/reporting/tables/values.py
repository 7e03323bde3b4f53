"""Values of a table from the tidy metrics: ours, the paper's, and the difference."""

import numpy as np
import pandas as pd

from tfseg.errors import TableError
from tfseg.snr import snr_to_number


def read_paper(path):
    """Read a paper's printed values (``resources/paper_tables``)."""
    frame = pd.read_csv(
        str(path), dtype={"table": str}
    )  # one paper numbers its tables, one has numerals
    columns = ["table", "task", "metric", "class", "snr_db", "system", "value"]
    if list(frame.columns) != columns:
        raise TableError(f"{path}: expected the columns {columns}, found {list(frame.columns)}")
    return frame.rename(columns={"value": "paper"})


def _ours(metrics, layout, variant):
    """Compute every value's mean over folds and repeats, and its standard deviation over folds."""
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
    return pd.concat([ours, spread], axis=1).reset_index().assign(variant=variant)


def _systems(table, layout):
    """Names of the rows."""
    systems = layout.mask_systems if table.only_mask_systems else layout.systems
    return [*table.reference_rows, *systems]


def table_rows(table, metrics, paper, layout):
    """Build a table with a value per row.

    Parameters
    ----------
    table : tfseg.reporting.tables.declaration.Table
    metrics : pd.DataFrame
        As `tfseg.evaluation.records.read_metrics` returns.
    paper : pd.DataFrame or None
        From `read_paper`; `None` if the corpus is not the paper's.
    layout : tfseg.reporting.tables.layout.Layout

    Returns
    -------
    rows : pd.DataFrame
        snr_db, system, class, metric, ours, fold_std, paper, difference (ours minus paper), and
        task and variant if the table has them; missing values are NaN.
    """
    labels = [*(layout.classes if table.has_classes else []), "macro"]
    cells = [
        (snr_to_number(snr), system, label, column)
        for snr in layout.snr_db
        for system in _systems(table, layout)
        for label in labels
        for column in table.columns
    ]
    if table.names_task:
        cells.sort(key=lambda cell: table.columns.index(cell[3]))  # one measure after the other
    wanted = pd.DataFrame(
        [
            (snr, system, label, column.task, column.metric, column.variant, column.key)
            for snr, system, label, column in cells
        ],
        columns=["snr_db", "system", "class", "task", "metric", "variant", "key"],
    )
    variants = dict.fromkeys(column.variant for column in table.columns)
    ours = pd.concat([_ours(metrics, layout, variant) for variant in variants])
    # The same dtype on both sides, so that clips without an SNR match: NaN joins NaN.
    ours["snr_db"] = ours["snr_db"].astype(float)
    keys = ["snr_db", "system", "class", "task", "metric"]
    rows = wanted.merge(ours, how="left", on=[*keys, "variant"])
    if paper is None or table.paper is None:
        rows["paper"] = np.nan
    else:
        printed = paper[paper["table"] == table.paper[1]]
        printed = printed[[*keys, "paper"]].astype({"snr_db": float})
        rows = rows.merge(printed, how="left", on=keys)
    rows["difference"] = rows["ours"] - rows["paper"]
    if not table.names_task:
        rows = rows.drop(columns=["task", "variant", "metric"]).rename(columns={"key": "metric"})
        return rows
    return rows.drop(columns="key")
