"""The tables that flow through the workflow: written in one layout, checked when read."""

import functools
import math
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import yaml

from tfseg.datasets.table_text import MISSING, SEPARATORS, header_hint, probably, rows_of
from tfseg.errors import TableError
from tfseg.io.files import write_csv
from tfseg.io.validation import expected_words, is_one_line

_SCHEMA_DIR = Path(__file__).resolve().parent / "schemas"
_MESSAGES_SHOWN = 10
_VALUE_SHOWN = 200


@functools.cache
def table_schema(kind):
    """Load the JSON schema of one row of a table of this kind (a file in ``tfseg/datasets/schemas``)."""
    return yaml.safe_load((_SCHEMA_DIR / f"{kind}.schema.yaml").read_text(encoding="utf-8"))


_INT64 = range(-(2**63), 2**63)


def _plain_type(rule):
    """Type of a column's values and whether a field of it may be empty."""
    kinds = [rule["type"]] if isinstance(rule["type"], str) else rule["type"]
    return kinds[0], "null" in kinds


def _converted(text, column, rule, where):
    expected_type, may_be_empty = _plain_type(rule)
    if may_be_empty and text == "":
        return math.nan
    try:
        if "_" in text or not text.isascii():  # Python reads 1_0 as 10
            raise ValueError
        value = {"number": float, "integer": int}[expected_type](text)
        if expected_type == "integer" and value not in _INT64:
            raise ValueError
        if may_be_empty and math.isnan(value):  # it would pass for an empty field
            raise ValueError
    except ValueError:
        what = {"integer": "an integer", "number": "a number"}[expected_type]
        raise TableError(
            f"{where}, column {column}: expected {what}, found {text!r}{probably(text)}"
        ) from None
    return value


def _at(source, line, column):
    return f"{source}, line {line}, column {column}"


def _value_errors(value, validator):
    """Say what is wrong with one value of a column."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not math.isfinite(value):
        return [f"expected a finite number, found {value}"]
    if isinstance(value, str) and not is_one_line(value):
        return [f"expected one line without control characters, found {value!r}"]
    return _in_words(validator.iter_errors(value), value)


def _in_words(errors, value):
    hint = probably(value) if isinstance(value, str) else ""
    shown = (
        value
        if not isinstance(value, str) or len(value) <= _VALUE_SHOWN
        else value[:_VALUE_SHOWN] + "..."
    )
    for error in errors:
        number = hint if error.validator == "pattern" else ""
        yield f"expected {expected_words(error) or error.message}, found {shown!r}{number}"


def _wrong_values(column, rule):
    """Values of a column that break a rule, and how: dict of value to list of messages."""
    validator = jsonschema.Draft202012Validator(rule)
    errors = {
        value: list(_in_words(validator.iter_errors(value), value))
        for value in column.unique().tolist()
    }
    return {value: messages for value, messages in errors.items() if messages}


def check_rows(frame, kind, source, lines=None):
    """Check every row against the schema of its kind.

    Parameters
    ----------
    frame : pd.DataFrame
    kind : str
        Name of a file in ``tfseg/datasets/schemas``.
    source : str
        What to call the table in messages.
    lines : sequence of int or None
        Line of each row in the file; counted from 2 when None.

    Raises
    ------
    TableError
        Naming table, line, column, what was expected and what was found (ten lines at most).
    """
    schema = table_schema(kind)
    missing = [name for name in schema["required"] if name not in frame.columns]
    if missing:
        hint = header_hint([str(name) for name in frame.columns], schema["required"])
        raise TableError(
            f"{source}: expected the columns {', '.join(schema['required'])}; missing "
            f"{', '.join(missing)}, found {', '.join(map(str, frame.columns)) or 'none'}{hint}"
        )
    lines = range(2, len(frame) + 2) if lines is None else lines
    messages = []
    for column, rule in schema["properties"].items():
        if column not in frame.columns:
            continue
        may_be_empty = _plain_type(rule)[1]
        # Tables repeat their values: a value is checked once, however many rows hold it.
        rows_of = {}
        for row, value in enumerate(frame[column].tolist()):
            empty = isinstance(value, float) and math.isnan(value)
            if not (empty and may_be_empty):
                rows_of.setdefault("nan" if empty else value, []).append(row)
        validator = jsonschema.Draft202012Validator(rule)
        for rows in rows_of.values():
            for error in _value_errors(frame[column].iloc[rows[0]], validator):
                messages += [(row, f"{_at(source, lines[row], column)}: {error}") for row in rows]
    if "if" in schema:  # across columns: rules of some hold where rules of others do
        applies = np.ones(len(frame), dtype=bool)
        for column, rule in schema["if"]["properties"].items():
            applies &= ~frame[column].isin(_wrong_values(frame[column], rule)).to_numpy()
        for column, rule in schema["then"]["properties"].items():
            wrong = _wrong_values(frame[column], rule)
            messages += [
                (row, f"{_at(source, lines[row], column)}: {error}")
                for row in np.flatnonzero(applies & frame[column].isin(wrong).to_numpy())
                for error in wrong[frame[column].iloc[row]]
            ]
    texts = [message for _, message in sorted(messages, key=lambda pair: pair[0])]
    key = schema.get("x-unique")
    if key:
        for value, rows in frame.reset_index(drop=True).groupby(key, sort=False).groups.items():
            if len(rows) > 1:
                where = ", ".join(str(lines[i]) for i in rows[:3])
                texts.append(
                    f"{source}: expected every {', '.join(key)} once, found {value} on lines {where}"
                )
    if texts:
        more = len(texts) - _MESSAGES_SHOWN
        tail = [f"... and {more} more"] if more > 0 else []
        raise TableError("\n".join(texts[:_MESSAGES_SHOWN] + tail))


def _empty_together(frame, schema):
    """Empty the fields that a schema lets be empty together, where a row spells all as missing."""
    names = [name for name in schema.get("x-empty-together", ()) if name in frame.columns]
    if names and len(frame):
        missing = frame[names].apply(lambda column: column.str.strip().str.casefold())
        frame.loc[missing.isin(MISSING).all(axis=1), names] = ""


def read_table(path, kind):
    """Read a CSV or TSV file whose rows follow the schema `kind`.

    Parameters
    ----------
    path : path-like
        The ending chooses the separator, or the header where it says otherwise
        (`table_separator`). A byte-order mark, CRLF line ends, and empty rows and columns at the
        end, as spreadsheets write them, are accepted.
    kind : str
        Name of a file in ``tfseg/datasets/schemas``.

    Returns
    -------
    frame : pd.DataFrame
        Columns of the schema first, each with the schema's type; ``attrs["lines"]`` has the line of
        the file that each row ends on.

    Raises
    ------
    TableError
        Naming file, line and column.
    """
    path = Path(path)
    schema = table_schema(kind)
    columns, rows, lines = rows_of(path, kind, schema["required"])
    frame = pd.DataFrame(rows, columns=columns, dtype=str)
    for column in schema.get("x-stripped", ()):
        if column in frame.columns:
            frame[column] = frame[column].str.strip()
    _empty_together(frame, schema)
    for column, rule in schema["properties"].items():
        if column in frame.columns and rule["type"] != "string":
            frame[column] = pd.Series(
                [
                    _converted(text, column, rule, f"{path}, line {line}")
                    for line, text in zip(lines, frame[column], strict=True)
                ],
                index=frame.index,
                dtype={"number": "float64", "integer": "int64"}[_plain_type(rule)[0]],
            )
    check_rows(frame, kind, str(path), lines)
    frame.attrs["lines"] = lines
    return frame


def write_table(path, frame, kind):
    """Check `frame` against the schema `kind` and write it, whole or not at all."""
    columns = table_schema(kind)["required"]
    check_rows(frame, kind, str(path))
    write_csv(path, frame[columns], SEPARATORS[Path(path).suffix])


def _more_in_each_fold(split, what):
    """Say what may bring `what` into every fold, however the folds are dealt now."""
    if split["kind"] == "fixed":
        return f"add {what} to it, or deal folds (config key split.kind: folds)"
    if split["by"] == "corpus":
        return f"add {what} to it, or deal the folds otherwise (config key split.by)"
    single = ", or split.by: file" if split["by"] == "source" else ""
    return f"add {what}, or take fewer folds (config key split.folds){single}"


def check_folds(events, scenes, folds, classes, split):
    """Check, before anything is mixed, that every fold can be filled without leakage.

    Parameters
    ----------
    events, scenes : pd.DataFrame
        The corpus tables.
    folds : sequence of int
    classes : sequence of str
    split : dict
        The config's section ``split``: the remedy depends on it.

    Raises
    ------
    TableError
        When a fold has no scene or lacks every recording of a class, or a label is not a class.
    """
    backwards = events[events["stop_s"] <= events["start_s"]]
    if len(backwards):
        row = backwards.iloc[0]
        raise TableError(
            f"corpus events: {row['path']}: expected stop_s after start_s ({row['start_s']}), "
            f"found {row['stop_s']}"
        )
    beyond = sorted((set(events["fold"]) | set(scenes["fold"])) - set(folds))
    if beyond:
        raise TableError(
            f"corpus: expected folds {min(folds)} to {max(folds)} (config key split.folds), found "
            f"{beyond[0]}"
        )
    unknown = sorted(set(events["label"]) - set(classes))
    if unknown:
        raise TableError(
            f"corpus events: labels {unknown} are not in corpus.classes ({len(classes)} classes)"
        )
    for fold in folds:
        missing = sorted(set(classes) - set(events.loc[events["fold"] == fold, "label"]))
        if missing:
            remedy = _more_in_each_fold(split, "recordings")
            raise TableError(
                f"corpus events: fold {fold} has no recording of {', '.join(missing)}; {remedy}"
            )
        if not (scenes["fold"] == fold).any():
            raise TableError(
                f"corpus scenes: fold {fold} has no scene ({len(scenes)} scenes in "
                f"{len(folds)} folds); {_more_in_each_fold(split, 'scenes')}"
            )


def check_clip_folds(clips, folds, held_out, classes, log=print):
    """Check, before anything is trained, that every class can be learned for each held-out fold.

    Parameters
    ----------
    clips : pd.DataFrame
        As ``tfseg/datasets/schemas/clips.schema.yaml`` says.
    folds, held_out : sequence of int
        All folds, and those that are scored.
    classes : sequence of str
    log : callable
        Told of held-out folds that lack a class.

    Raises
    ------
    TableError
        When a fold has no clip, or a class no clip outside of a held-out fold.
    """
    unknown = sorted(set(clips["fold"]) - set(folds))
    if unknown:
        raise TableError(
            f"corpus clips: expected folds {min(folds)} to {max(folds)} (config key split.folds), "
            f"found {unknown[0]}"
        )
    tagged = pd.Series([set(text.split(";")) for text in clips["tags"]], index=clips.index)
    for fold in folds:
        if not (clips["fold"] == fold).any():
            raise TableError(f"corpus clips: fold {fold} has no clip")
    for fold in held_out:
        here = tagged[clips["fold"] == fold]
        absent = [label for label in classes if not any(label in tags for tags in here)]
        if absent:
            log(
                f"fold {fold} has no clip of {', '.join(absent)}: that fold's scores leave these "
                "classes out, and their means are over the other folds"
            )
        others = tagged[clips["fold"] != fold]
        missing = [label for label in classes if not any(label in tags for tags in others)]
        if missing:
            raise TableError(
                f"corpus clips: no clip of {', '.join(missing)} is left to learn from when fold "
                f"{fold} is held out; deal the folds otherwise (config keys split.folds, split.by), or "
                "add clips of it"
            )


def _joined(events):
    """Join the events of one clip that are of one label and overlap; others stay as they are."""
    joined = []
    for label, onset_s, offset_s in sorted(events, key=lambda event: event[:2]):
        if joined and joined[-1][0] == label and onset_s < joined[-1][2]:
            joined[-1] = (label, joined[-1][1], max(joined[-1][2], offset_s))
        else:
            joined.append((label, onset_s, offset_s))
    if len(joined) == len(events):
        return events
    return sorted(joined, key=lambda event: event[1])


def mixture_labels(mixture_events, mixtures=None):
    """Group a plan's events: mixture name to list of (label, onset_s, offset_s).

    Events of one label that overlap become one: no score by class can tell them apart.

    Parameters
    ----------
    mixture_events : pd.DataFrame
    mixtures : pd.DataFrame or None
        When given, every mixture whose events' times are known has an entry, also without events.
    """
    labels = {}
    if mixtures is not None:
        labels = {name: [] for name in mixtures.loc[mixtures["strong"] == 1, "mixture"]}
    for row in mixture_events.itertuples(index=False):
        labels.setdefault(row.mixture, []).append((row.label, row.onset_s, row.offset_s))
    return {name: _joined(events) for name, events in labels.items()}


def read_plan(mixtures_path, events_path):
    """Read a plan: its mixtures, and what sounds in each.

    Parameters
    ----------
    mixtures_path, events_path : path-like
        ``mixtures.csv`` and ``events.csv``.

    Returns
    -------
    mixtures : pd.DataFrame
    labels : dict
        As `mixture_labels`, with an entry for every mixture whose events' times are known.
    """
    mixtures = read_table(mixtures_path, "mixtures")
    return mixtures, mixture_labels(read_table(events_path, "mixture_events"), mixtures)
