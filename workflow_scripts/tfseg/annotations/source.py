"""A file of annotations as its bytes are, before anybody knows its format; and its faults."""

import csv
import functools
import json
import re
from pathlib import Path

from tfseg.datasets.table_text import SEPARATORS, probably, text_of
from tfseg.errors import TableError

_NUMBER = re.compile(r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?")
# What is meant as a time, though it may be spelled wrong: its reader says so, with the line.
_TIME_LIKE = re.compile(r"[+-]?[0-9.,:]*[0-9][0-9.,:]*([eE][+-]?[0-9]+)?( ?(s|ms|sec))?")
_SHOWN = 10


def _refused(constant):
    raise ValueError(f"{constant} is no number")


def is_time_like(text):
    """Whether a field looks like a time, also one that is spelled wrong."""
    return _TIME_LIKE.fullmatch(text.strip()) is not None


def raise_faults(faults):
    """Raise one error for all that is wrong, if anything is; ten lines are shown."""
    if faults:
        more = len(faults) - _SHOWN
        tail = [f"... and {more} more"] if more > 0 else []
        raise TableError("\n".join([*faults[:_SHOWN], *tail]))


class Source:
    """A file of annotations.

    Parameters
    ----------
    path : path-like
    recording : str
        Name of the recording that it is about, where it names none itself.
    label_column : str or None
        Column of the labels, where the user says it.

    Attributes
    ----------
    faults : list of str
        What its reader finds wrong, each with its line.
    notes : list of (str, str)
        What its reader merges or leaves out: what was done, and with what.
    not_json : str
        Why a text that begins as JSON is none.
    """

    def __init__(self, path, recording, label_column=None):
        self.path, self.recording, self.label_column = Path(path), recording, label_column
        self.faults: list[str] = []
        self.notes: list[tuple] = []
        self.not_json = ""

    @functools.cached_property
    def text(self):
        """The content.

        Raises
        ------
        TableError
            When it is not saved as UTF-8.
        """
        return text_of(self.path, "annotations")

    @functools.cached_property
    def value(self):
        """Content of a JSON file; None of any other file."""
        if self.text.lstrip()[:1] not in ("[", "{"):
            return None
        try:
            return json.loads(self.text, parse_constant=_refused)
        except (ValueError, RecursionError) as error:
            self.not_json = str(error)
            return None

    @functools.cached_property
    def rows(self):
        """Lines that are not empty, as (number, fields); fields without blanks around them."""
        found, is_tabbed = [], "\t" in self.text
        if self.value is not None:  # JSON, which may be one long line
            return [(1, [self.text[:80]])]
        for number, line in enumerate(re.split(r"\r\n|\r|\n", self.text), start=1):
            # With tabs between them, quotes are part of a label.
            quoted = not is_tabbed and '"' in line
            split = next(csv.reader([line])) if quoted else line.split("\t" if is_tabbed else ",")
            fields = [field.strip() for field in split]
            while len(fields) > 1 and not fields[-1]:
                fields.pop()
            if fields != [""]:
                found.append((number, fields))
        return found

    @functools.cached_property
    def columns(self):
        """Names in the first line, in lower case, if it were that of a table."""
        first = self.text.partition("\n")[0].strip().casefold()
        separator = max([*SEPARATORS.values(), ";"], key=first.count)
        return {name.strip().strip('"') for name in first.split(separator)}

    def at(self, line):
        """Name a line of the file."""
        return f"{self.path}, line {line}"

    def number(self, text, line, what="a time in seconds"):
        """Read a number; None where it is none, which is noted among the faults."""
        if _NUMBER.fullmatch(text) is None:
            self.faults.append(f"{self.at(line)}: expected {what}, found {text!r}{probably(text)}")
            return None
        return float(text)

    def looks_like(self):
        """Say what the file looks like, for a user who expected it to be known."""
        value = self.value
        if isinstance(value, dict):
            return f"JSON with the keys {', '.join(map(repr, list(value)[:5]))}"
        if isinstance(value, list):
            keys = list(value[0])[:5] if value and isinstance(value[0], dict) else []
            return f"a JSON list of {len(value)} with {', '.join(map(repr, keys)) or 'no keys'}"
        if self.not_json:
            return f"text that begins as JSON and is none: {self.not_json}"
        number, fields = self.rows[0]
        shown = " | ".join(fields)[:80]
        if len(fields) == 1 and len(fields[0].split()) > 1:
            return f"text separated by blanks, not by tabs or commas; line {number} is {shown!r}"
        if len(fields) > 1 and not any(map(is_time_like, fields)):
            return f"a table with the columns {shown}"
        return f"text of {len(fields)} fields a line; line {number} is {shown!r}"
