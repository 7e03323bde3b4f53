"""The text of a table: its columns and rows, however a spreadsheet saved them, and what is odd."""

import csv
import io
import re

from tfseg.errors import TableError

SEPARATORS = {".csv": ",", ".tsv": "\t"}
# How tables spell that there is no value (pandas' na_rep, R, databases).
MISSING = {"", "nan", "na", "n/a", "null", "none", "<na>"}


def probably(text):
    """Say what a field is that should be a number, where it is recognised; else nothing."""
    if re.fullmatch(r"\s*[0-9]+,[0-9]+\s*", text):
        return ": write a decimal point, not a comma"
    if text.strip().casefold() in MISSING - {""}:
        return ": write nothing where there is no value"
    if re.fullmatch(r"[0-9]+:[0-9:.]+", text):
        return ": write seconds, not minutes or hours"
    if re.fullmatch(r"[0-9.]+ ?(s|ms|sec|Hz)", text):
        return ": write the number without its unit"
    return ""


# Values are jsonschema's to check. Reading is ours: pandas names no line where a field has the wrong
# type, and takes a row of too few fields, "NA", 1_0 and a repeated column for good.
def text_of(path, kind):
    """Read a text saved as UTF-8, with a byte-order mark or without.

    Parameters
    ----------
    path : Path
    kind : str
        What to call the table in messages.

    Raises
    ------
    TableError
        When it is not there, or is saved otherwise: with the line and the remedy.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise TableError(f"{path}: expected a table of {kind}, found nothing there") from None
    except OSError as error:
        raise TableError(f"{path}: expected a table of {kind}, found {error.strerror}") from None
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise TableError(f"{path}: expected text saved as UTF-8, found UTF-16: save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise TableError(
            f"{path}: expected text saved as UTF-8, found other bytes on line {line}: {error}. Save "
            "it as UTF-8 (of Excel: 'CSV UTF-8')"
        ) from None


def table_separator(path, header, columns):
    """Separator of a table's fields: that of its ending, or what its header says.

    Parameters
    ----------
    path : Path
    header : str
        First line.
    columns : iterable of str
        That the table must have.

    Returns
    -------
    separator : str
        A comma or a tab; a tab too where the ending says nothing.
    """
    own = SEPARATORS.get(path.suffix.lower(), "\t")
    header = header.rstrip("\r")
    if "\r" not in header:  # the csv module refuses it, and says so when the rows are read
        for separator in (own, *SEPARATORS.values()):
            names = next(csv.reader([header], delimiter=separator), [])
            if set(columns) <= {name.strip() for name in names}:
                return separator
    return own


def _without_empty_ends(columns, rows):
    """Leave out columns at the end that have no name and no value, as spreadsheets save them."""
    n = n_all = len(columns)
    while n > 1 and columns[n - 1] == "":
        n -= 1
    # A row of another length may have lost or gained a field anywhere, and is left to be refused.
    named = [row[:n] if len(row) == n_all and not any(row[n:]) else row for row in rows]
    return columns[:n], named


def rows_of(path, kind, wanted):
    """Read a CSV or TSV file.

    Parameters
    ----------
    path : Path
    kind : str
        What to call the table in messages.
    wanted : sequence of str
        Columns that it must have.

    Returns
    -------
    columns : list of str
    rows : list of list of str
    lines : list of int
        That each row ends on.

    Raises
    ------
    TableError
        Naming the file and the line.
    """
    text = text_of(path, kind)
    separator = table_separator(path, text.partition("\n")[0], wanted)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows, lines = [], []
    try:
        columns = next(reader, None)
        for row in reader:
            if any(row):  # else an empty line
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise TableError(
            f"{path}, line {reader.line_num}: expected a table, found: {error}. Write a field with "
            'quotes in it as "a ""b"" c"'
        ) from None
    if not columns:
        raise TableError(f"{path}: expected a table with column names, found nothing")
    columns, rows = _without_empty_ends([name.strip() for name in columns], rows)
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise TableError(f"{path}: expected every column once, found {twice[0]!r} again")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(columns):
            hint = ""
            if separator == "," and len(row) > len(columns):
                hint = ": write decimal points, and put fields with commas in quotes"
            raise TableError(
                f"{path}, line {line}: expected {len(columns)} fields, found {len(row)}{hint}"
            )
    return columns, rows, lines


def header_hint(columns, wanted):
    """Say what is probably wrong with a header, where it is recognised; else nothing."""
    if len(columns) == 1:
        for sign, name in ((";", "semicolons"), (",", "commas"), ("\t", "tabs"), ("|", "|")):
            if sign in columns[0]:
                return f". It is separated by {name}: expected commas (.csv) or tabs (.tsv)"
        if len(columns[0].split()) > 1:
            return ". It is separated by spaces: expected commas (.csv) or tabs (.tsv)"
    spelled = {name.strip().casefold(): name for name in columns}
    other = [f"{spelled[n]!r} for {n!r}" for n in wanted if n in spelled and n not in columns]
    return f". Write names in lower case: found {', '.join(other)}" if other else ""
