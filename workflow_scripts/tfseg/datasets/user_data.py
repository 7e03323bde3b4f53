"""Shared by folders and clips of the user's own recordings."""

import difflib
import os
from collections import Counter
from pathlib import Path

from tfseg.datasets.corpus_tables import read_table
from tfseg.datasets.recordings import NOT_STATED
from tfseg.errors import DataError
from tfseg.io.sound_files import folder_content
from tfseg.io.validation import same_form

_SHOWN = 5
_TABLES = ("attribution.csv", "strong.tsv", "strong.csv")


def sound_files(folder):
    """List what looks like sound or video below a folder, in order; say what is left out.

    What no library reads is among it: the look into the recordings names it, with the reason.
    """
    content = folder_content(folder)
    for note in [*content.notes(folder), *content.closed_notes()]:
        print(note)
    return content.sounds


def _attribution_rows(root):
    """Rows of ``attribution.csv`` in a folder by the path of the file; none where it is not there."""
    table = root / "attribution.csv"
    if not table.is_file():
        return {}
    frame = read_table(table, "attribution")
    return {same_form(str(root / row.path)): row for row in frame.itertuples(index=False)}


def attribution(root, paths):
    """Read author, licence and source of each file from ``attribution.csv`` in `root`, if any.

    Parameters
    ----------
    root : Path
    paths : sequence of Path

    Returns
    -------
    columns : dict of str to list of str
    """
    rows = _attribution_rows(root)
    return {
        field: [getattr(rows.get(same_form(str(path))), field, NOT_STATED) for path in paths]
        for field in ("author", "licence", "source")
    }


def say_what_is_odd(root, paths):
    """Print files that are there twice, misnamed tables, and unused rows of ``attribution.csv``.

    Parameters
    ----------
    root : Path
    paths : sequence of Path
        All recordings of a corpus.
    """
    for name in sorted(os.listdir(root)):
        if name.lower() in _TABLES and name not in _TABLES:
            print(f"{root / name}: not read; expected it to be called {name.lower()}")
    files = {}
    for path in paths:
        files.setdefault(os.path.realpath(path), []).append(path)
    for same in files.values():
        if len(same) > 1:
            print(f"{same[0]}: the same file is also {', '.join(map(str, same[1:]))}")
    listed = {same_form(str(path)) for path in paths}
    unused = [row.path for key, row in _attribution_rows(root).items() if key not in listed]
    if unused:
        print(f"{root / 'attribution.csv'}: not among the recordings: {_some(unused)}")


def _some(names):
    """Name the first few of many, and their number."""
    more = f", ... ({len(names)} in all)" if len(names) > _SHOWN else ""
    return ", ".join(map(str, names[:_SHOWN])) + more


def say_unlisted(root, paths):
    """Say which sound files beside ``clips.csv`` it does not name, and of missing ones what is like.

    Parameters
    ----------
    root : Path
    paths : sequence of Path
        All that it names.
    """
    listed = {os.path.realpath(path) for path in paths}
    unlisted = [
        path.relative_to(root) for path in sound_files(root) if os.path.realpath(path) not in listed
    ]
    if unlisted:
        print(f"{root / 'clips.csv'}: it does not name {_some(unlisted)}, which are left out")
    for path in paths:
        if not os.path.lexists(path) and path.parent.is_dir():
            alike = [n for n in os.listdir(path.parent) if n.casefold() == path.name.casefold()]
            if alike:
                print(f"{root / 'clips.csv'}: it names {path.name}, there is {', '.join(alike)}")


def as_classes(labels, classes):
    """Spell labels as the config does where only the normal form of Unicode differs."""
    spelled = {same_form(name): name for name in classes}
    return [spelled.get(same_form(label), label) for label in labels]


def others_text(labels, classes, where):
    """Name the labels that are not among the classes, each with a class that it is like.

    Parameters
    ----------
    labels : iterable of str
    classes : sequence of str
    where : path-like
        Where the labels were found.

    Returns
    -------
    text : str
        Empty where there are none.
    """
    others = Counter(label for label in labels if label not in classes)
    named = []
    for label, n in sorted(others.items()):
        close = difflib.get_close_matches(label, classes, n=1)
        hint = f", did you mean {close[0]}?" if close else ""
        named.append(f"{label} ({n} times{hint})")
    return f"{where}: labels that corpus.classes does not name: {'; '.join(named)}" if named else ""


def refused_others(text):
    """What a run that stops at other labels says: their text, and the remedy."""
    return (
        f"{text}. Mend them, add them to corpus.classes, or leave them out with the config key "
        "corpus.other_labels: ignore"
    )


def check_others(labels, classes, other_labels, where):
    """Raise an error for labels that are not in the classes, or report that they are left out.

    If a misspelt tag were silently left out, its clip would be a false negative in training.

    Parameters
    ----------
    labels : iterable of str
    classes : sequence of str
    other_labels : {"error", "ignore"}
    where : path-like
        Source of the labels, for messages.
    """
    text = others_text(labels, classes, where)
    if text and other_labels == "error":
        raise DataError(refused_others(text))
    if text:
        print(f"{text}. They are left out (corpus.other_labels: ignore).")


def clip_name(path, root):
    """Name of a clip in results: its path as ``clips.csv`` has it, relative where it can be.

    In one normal form of Unicode, so that tables made on different machines agree.
    """
    path = Path(path)
    return same_form(str(path.relative_to(root) if path.is_relative_to(root) else path))
