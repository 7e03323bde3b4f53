"""UrbanSound8K's list of clips."""

from pathlib import Path

from tfseg.annotations.formats._class_list import class_list, read_class_list
from tfseg.datasets.corpus_tables import table_schema

DECLARATION = {
    "summary": "a table with the columns slice_file_name, fsID, fold and class (UrbanSound8K)",
    "carries": ["tags", "fold", "group"],
    "order": 8,
}
_KIND = "urbansound8k_clips"
_COLUMNS = ["slice_file_name", "fsID", "start", "end", "salience", "fold", "classID", "class"]


def recognise(source):
    """Whether it is a table with UrbanSound8K's columns."""
    return {name.casefold() for name in table_schema(_KIND)["required"]} <= source.columns


def read(source):
    """Read the class, fold and Freesound recording of each clip, which lies in its fold's folder."""
    return read_class_list(
        source,
        _KIND,
        group="fsID",
        label="class",
        name=lambda row: f"fold{row['fold']}/{row['slice_file_name']}",
    )


def write(recordings, folder):
    """``UrbanSound8K.csv``; where a clip lies in its recording is left empty."""
    text = class_list(
        recordings,
        _COLUMNS,
        lambda r, label, n: [
            Path(r.name).name, r.group or Path(r.name).stem, "", "", "", r.fold, n, label
        ],
    )  # fmt: skip
    return {folder / "UrbanSound8K.csv": text}
