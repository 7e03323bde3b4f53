"""Shared by folders and clips of the user's own recordings."""

import difflib
from collections import Counter
from pathlib import Path

import soundfile

from tfseg.datasets.corpus_tables import read_table
from tfseg.datasets.recordings import NOT_STATED
from tfseg.errors import DataError

_ENDINGS = {f".{name.lower()}" for name in soundfile.available_formats()} | {
    ".aif",
    ".oga",
    ".opus",
}
# Endings of headerless formats: such a file does not describe its samples.
_ENDINGS -= {".raw"}


def sound_files(folder):
    """List the sound files below a folder, recognised by their ending and sorted by name."""
    return sorted(
        path
        for path in Path(folder).rglob("*")
        if path.suffix.lower() in _ENDINGS
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


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
    table = root / "attribution.csv"
    rows = {}
    if table.is_file():
        frame = read_table(table, "attribution")
        rows = {str(root / row.path): row for row in frame.itertuples(index=False)}
    return {
        field: [getattr(rows.get(str(path)), field, NOT_STATED) for path in paths]
        for field in ("author", "licence", "source")
    }


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
    others = Counter(label for label in labels if label not in classes)
    if not others:
        return
    named = []
    for label, n in sorted(others.items()):
        close = difflib.get_close_matches(label, classes, n=1)
        hint = f", did you mean {close[0]}?" if close else ""
        named.append(f"{label} ({n} times{hint})")
    text = f"{where}: labels that corpus.classes does not name: {'; '.join(named)}"
    if other_labels == "error":
        raise DataError(
            f"{text}. Correct them, add them to corpus.classes, or ignore them with the config key "
            "corpus.other_labels: ignore"
        )
    print(f"{text}. They are left out (corpus.other_labels: ignore).")


def clip_name(path, root):
    """Name of a clip in results: its path in ``clips.csv``, relative if possible."""
    path = Path(path)
    return str(path.relative_to(root) if path.is_relative_to(root) else path)
