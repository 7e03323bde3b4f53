"""What folders and clips of the user's own recordings have in common."""

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
# Formats whose ending stands for headerless samples: nothing says what is in such a file.
_ENDINGS -= {".raw"}


def sound_files(folder):
    """List the sound files below a folder, by their ending, in order of their names."""
    return sorted(
        path
        for path in Path(folder).rglob("*")
        if path.suffix.lower() in _ENDINGS
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def attribution(root, paths):
    """Author, licence and source of each file, from ``attribution.csv`` in `root` where there is one.

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
    """Refuse labels that are not among the classes, or say that they are left out.

    A misspelt tag that was left out in silence would teach that the sound is not there.

    Parameters
    ----------
    labels : iterable of str
    classes : sequence of str
    other_labels : {"error", "ignore"}
    where : path-like
        Where the labels were found, for messages.
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
            f"{text}. Mend them, add them to corpus.classes, or leave them out with the config key "
            "corpus.other_labels: ignore"
        )
    print(f"{text}. They are left out (corpus.other_labels: ignore).")


def clip_name(path, root):
    """Name of a clip in results: its path as ``clips.csv`` has it, relative where it can be."""
    path = Path(path)
    return str(path.relative_to(root) if path.is_relative_to(root) else path)
