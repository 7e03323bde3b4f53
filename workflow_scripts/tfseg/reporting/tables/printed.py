"""Printed tables: texts in cells."""

from pathlib import Path

import pandas as pd

from tfseg.evaluation.metric_names import METRICS
from tfseg.io.files import write_csv
from tfseg.reporting.tables.declaration import PAPERS
from tfseg.reporting.tables.registry import TABLES
from tfseg.reporting.tables.values import table_rows
from tfseg.reporting.tables.writers import DASH, write_printed
from tfseg.snr import snr_from_number, snr_name

_PRINTED_COLUMNS = 12


def caption(table, layout, has_paper):
    """Caption of a printed table: what was measured, and the paper whose values are shown."""
    text = table.caption(layout)
    if has_paper and table.paper is not None and layout.paper_name == table.paper[0]:
        text += f" In parentheses: {PAPERS[table.paper[0]]}, Table {table.paper[1]}."
    return text


def heading(column):
    """Heading of a column."""
    return f"{column.before}{METRICS[column.metric].heading}{column.behind}"


def _cell(row):
    """Text of one printed cell: our value ± spread, and the paper's value if there is one."""
    if pd.isna(row.ours):
        ours = DASH
    else:
        spread = "" if pd.isna(row.fold_std) else f" ± {row.fold_std:.3f}"
        ours = f"{row.ours:.3f}{spread}"
    return ours if pd.isna(row.paper) else f"{ours} ({row.paper:.3f})"


def _by_snr(table, cells, systems, layout):
    columns = [(snr, column) for snr in layout.snr_db for column in table.columns]
    headings = ["System", *(f"{snr_name(snr)} {heading(column)}" for snr, column in columns)]
    rows = [
        [system, *(cells[snr_name(snr), system, "macro", column] for snr, column in columns)]
        for system in systems
    ]
    return headings, rows


def _by_class(table, cells, systems, layout):
    # The papers print classes as columns; 41 columns do not fit a page.
    snr, column = snr_name(layout.by_class_snr_db), table.columns[0]
    rows = [
        [label, *(cells[snr, system, label, column] for system in systems)]
        for label in [*layout.classes, "macro"]
    ]
    return ["Class", *systems], rows


def _by_system(table, cells, systems, layout):
    # If the classes do not fit on a page, only their mean is printed; the CSV has all.
    columns = [
        (label, column)
        for label in layout.classes
        for column in table.columns[: table.by_class_columns or 0]
    ]
    columns = columns if len(columns) <= _PRINTED_COLUMNS else []
    columns += [("macro", column) for column in table.columns]
    several = len(layout.snr_db) > 1
    headings = [*(["SNR"] if several else []), "System"]
    for label, column in columns:
        of_class = {"macro": "mean "}.get(label, f"{label} ") if table.has_classes else ""
        headings.append(f"{of_class}{heading(column)}")
    rows = [
        [
            *([snr_name(snr)] if several else []),
            system,
            *(cells[snr_name(snr), system, label, column] for label, column in columns),
        ]
        for snr in layout.snr_db
        for system in systems
    ]
    return headings, rows


_ARRANGEMENTS = {"by_snr": _by_snr, "by_class": _by_class, "by_system": _by_system}


def printed_grid(table, rows, layout):
    """Arrange a table for printing.

    Parameters
    ----------
    table : tfseg.reporting.tables.declaration.Table
    rows : pd.DataFrame
        As `table_rows` returns them.
    layout : tfseg.reporting.tables.layout.Layout

    Returns
    -------
    headings : list of str
    rows : list of list of str
    """
    columns = {
        (column.task, column.metric, column.variant) if table.names_task else column.key: column
        for column in table.columns
    }
    cells = {}
    for row in rows.rename(columns={"class": "label"}).itertuples(index=False):
        key = (row.task, row.metric, row.variant) if table.names_task else row.metric
        cells[snr_name(snr_from_number(row.snr_db)), row.system, row.label, columns[key]] = _cell(
            row
        )
    systems = list(dict.fromkeys(rows["system"]))
    return _ARRANGEMENTS[table.arrangement](table, cells, systems, layout)


def row_headings(table, rows):
    """Return the column heading of each row of `table_rows`, as a list of str."""
    if table.names_task:
        known = {(c.task, c.metric, c.variant): heading(c) for c in table.columns}
        keys = zip(rows["task"], rows["metric"], rows["variant"], strict=True)
    else:
        known = {c.key: heading(c) for c in table.columns}
        keys = rows["metric"]
    return [known[key] for key in keys]


def write(path, metrics, paper, layout):
    """Write one table as CSV, Markdown or LaTeX, by the ending of `path`.

    Parameters
    ----------
    path : path-like
    metrics, paper, layout
        As for `table_rows`.
    """
    path = Path(path)
    table = TABLES[path.stem]
    rows = table_rows(table, metrics, paper, layout)
    if path.suffix == ".csv":
        write_csv(path, rows)
        return
    title = caption(table, layout, paper is not None)
    headings, cells = printed_grid(table, rows, layout)
    write_printed(path, headings, cells, title)
