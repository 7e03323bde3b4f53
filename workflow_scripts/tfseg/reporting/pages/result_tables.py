"""The papers' tables for a page: sortable, with differences coloured by their size."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tfseg.evaluation.metric_names import METRICS
from tfseg.reporting.tables.printed import row_headings
from tfseg.reporting.tables.registry import TABLES
from tfseg.snr import snr_from_number, snr_name

_DASH = "–"
_MOST_ROWS = 80  # of a table by system with all classes; a longer one has only their mean


@dataclass(frozen=True)
class Cell:
    """Text of a cell, and its sort key (None: always last).

    `spread` follows the text; `share` in -1..1 determines the colour.
    """

    text: str
    value: float | str | None
    spread: str = ""
    share: float | None = None


@dataclass(frozen=True)
class Column:
    """Heading of a column, and of its group of neighbouring columns."""

    heading: str
    group: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class Table:
    """A table for the template; the first column of a row is its name. `foot` is never sorted."""

    name: str
    title: str
    caption: str
    columns: list
    rows: list
    foot: list | tuple = ()


def _name_cell(key, name):
    """Cell of a name: a system is spelled as in the config, a class is made readable."""
    return Cell(name.replace("_", " ") if key == "label" else name, name)


def _snr_cell(snr_db):
    return Cell(snr_name(snr_db), snr_db)


def with_minus(text):
    """Write a number's hyphen as a minus sign."""
    return text.replace("-", "−")


def _number(value, sign=""):
    return with_minus(f"{value:{sign}.3f}")


def _value_cells(row, has_paper):
    """Our value, and the paper's value and the difference if the table has any."""
    if row is None or pd.isna(row.ours):
        ours = Cell(_DASH, None)
    else:
        spread = "" if pd.isna(row.fold_std) else f"± {row.fold_std:.3f}"
        ours = Cell(_number(row.ours), float(row.ours), spread)
    if not has_paper:
        return [ours]
    if row is None or pd.isna(row.paper):
        return [ours, Cell(_DASH, None), Cell(_DASH, None)]
    paper = Cell(_number(row.paper), float(row.paper))
    if pd.isna(row.difference):
        return [ours, paper, Cell(_DASH, None)]
    share = max(-1.0, min(1.0, row.difference / METRICS[row.metric].full_difference))
    text = _number(row.difference, "+")
    return [ours, paper, Cell(text, float(row.difference), share=share)]


def _value_columns(group, has_paper):
    return [Column(heading, group) for heading in ["ours", *["paper", "difference"] * has_paper]]


def _arranged(frame, row_keys, column_key):
    """Arrange a long table in rows and columns.

    Parameters
    ----------
    frame : pd.DataFrame
        A value per row.
    row_keys : list of str
        Columns that identify a row.
    column_key : str
        Column whose values become columns.
    """
    has_paper = bool(frame["paper"].notna().any())
    groups = list(dict.fromkeys(frame[column_key]))
    cells = {
        (*(_key(key, getattr(row, key)) for key in row_keys), getattr(row, column_key)): row
        for row in frame.itertuples(index=False)
    }
    names = {"snr_db": "SNR", "system": "system", "label": "class"}
    columns = [Column(names[key], numeric=key == "snr_db") for key in row_keys]
    headings = {}
    if column_key == "label":
        headings = {label: label.replace("_", " ") for label in groups}
    columns += [c for g in groups for c in _value_columns(headings.get(g, g), has_paper)]
    if not has_paper:  # a single value needs no second line of headings
        n = len(row_keys)
        columns[n:] = [Column(column.group) for column in columns[n:]]
    rows = []
    for names_of_row in dict.fromkeys(key[:-1] for key in cells):
        heads = [
            _snr_cell(value) if key == "snr_db" else _name_cell(key, value)
            for key, value in zip(row_keys, names_of_row, strict=True)
        ]
        values = [_value_cells(cells.get((*names_of_row, group)), has_paper) for group in groups]
        rows.append([*heads, *(cell for part in values for cell in part)])
    return columns, rows


def _key(name, value):
    """Return a value that can be compared: NaN, for no SNR, does not equal itself."""
    return snr_from_number(value) if name == "snr_db" else value


def read_table(csv_path, markdown_path, by_class_snr_db):
    """Read one table of a run.

    Parameters
    ----------
    csv_path : path-like
        From `tfseg.reporting.tables.printed.write`.
    markdown_path : path-like
        The same table in Markdown, the source of the caption.
    by_class_snr_db : float or None
        SNR of the tables by class; None for clips that were not mixed here.

    Returns
    -------
    table : Table
    """
    name = Path(csv_path).stem
    caption = Path(markdown_path).read_text(encoding="utf-8").split("\n\n", 1)[0]
    frame = pd.read_csv(csv_path, dtype={"class": str, "system": str})
    frame = frame.rename(columns={"class": "label"})
    table = TABLES[name]
    frame["heading"] = row_headings(table, frame)
    if table.arrangement == "by_class":
        at_snr = frame["snr_db"].isna() | (frame["snr_db"] == by_class_snr_db)
        columns, rows = _arranged(frame[at_snr], ["label"], "system")
    elif not table.has_classes:
        columns, rows = _arranged(frame, ["system", "snr_db"], "heading")
    elif len(table.columns) == 1:
        columns, rows = _arranged(frame, ["system", "snr_db"], "label")
    else:
        keys = ["system", "snr_db", "label"]
        if len(frame[keys].drop_duplicates()) > _MOST_ROWS:
            frame, keys = frame[frame["label"] == "macro"], keys[:2]
            caption += f" Means over classes: {name}.csv has every class."
        columns, rows = _arranged(frame, keys, "heading")
    foot = [row for row in rows if row[0].value == "macro"]
    rows = [row for row in rows if row[0].value != "macro"]
    title, _, rest = caption.partition(": ")
    return Table(name, title, rest[:1].upper() + rest[1:], columns, rows, foot)
