"""ESC-50's list of clips."""

from pathlib import Path

from tfseg.annotations.formats._class_list import class_list, read_class_list
from tfseg.datasets.corpus_tables import table_schema

DECLARATION = {
    "summary": "a table with the columns filename, fold, category and src_file (ESC-50)",
    "carries": ["tags", "fold", "group"],
    "order": 7,
}
_KIND = "esc50_clips"
_COLUMNS = ["filename", "fold", "target", "category", "esc10", "src_file", "take"]


def recognise(source):
    """Whether it is a table with ESC-50's columns."""
    return set(table_schema(_KIND)["required"]) <= source.columns


def read(source):
    """Read the class, fold and Freesound recording of each clip."""
    return read_class_list(
        source, _KIND, group="src_file", label="category", name=lambda row: row["filename"]
    )


def write(recordings, folder):
    """``esc50.csv``; no clip is said to be of ESC-10."""
    text = class_list(
        recordings,
        _COLUMNS,
        lambda r, label, n: [r.name, r.fold, n, label, False, r.group or Path(r.name).stem, "A"],
    )
    return {folder / "esc50.csv": text}
