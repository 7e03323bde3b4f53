"""tfseg's own tables: ``clips.csv`` with the tags, ``strong.tsv`` with the times that are known."""

import os

from tfseg.annotations.files import table
from tfseg.annotations.formats import desed
from tfseg.annotations.recording import Recording
from tfseg.datasets.clips import split_tags
from tfseg.datasets.corpus_tables import read_table, table_schema
from tfseg.errors import DataError
from tfseg.io.sound_files import looks_like_sound

DECLARATION = {
    "summary": "a table with the columns path and tags (clips.csv of tfseg)",
    "carries": ["times", "tags", "empty", "fold", "group"],
    "order": 1,
}
_COLUMNS = table_schema("own_clips")["required"]


def recognise(source):
    """Whether it is a table with the columns of ``clips.csv``."""
    return set(_COLUMNS) <= source.columns


def read(source):
    """Read ``clips.csv``; times in a ``strong.tsv`` are DESED's table."""
    frame = read_table(source.path, "own_clips")
    return [
        Recording(
            row["path"],
            tags=split_tags(row["tags"]),
            times_known=False,
            fold=row.get("fold"),
            group=row.get("group"),
            where=source.at(line),
        )
        for row, line in zip(frame.to_dict("records"), frame.attrs["lines"], strict=True)
    ]


def write(recordings, folder):
    """``clips.csv``, and ``strong.tsv`` where the times of some recordings are known.

    Raises
    ------
    DataError
        When a recording's file is not known, or a label cannot stand in a list of tags.
    """
    for recording in recordings:
        divided = [label for label in recording.labels if split_tags(label) != [label]]
        if divided:
            raise DataError(
                f"{recording.where}: expected labels without , and ; which stand between tags, found "
                f"{divided[0]!r}: give it another name with --rename"
            )
        if recording.path is None and not looks_like_sound(recording.name):
            raise DataError(
                f"{recording.where}: expected a recording's file, found the name {recording.name!r}: "
                "name the folder of the recordings with --audio"
            )
    paths = {recording.name: _path_in(folder, recording) for recording in recordings}
    extra = [
        column
        for column in ("fold", "group")
        if recordings and all(getattr(recording, column) is not None for recording in recordings)
    ]
    rows = [
        [paths[r.name], ";".join(r.labels), *(getattr(r, column) for column in extra)]
        for r in recordings
    ]
    written = {folder / "clips.csv": table([[*_COLUMNS, *extra], *rows], ",")}
    timed = [(paths[r.name], r.events) for r in recordings if r.times_known]
    if timed:
        written[folder / "strong.tsv"] = desed.event_table(timed)
    return written


def _path_in(folder, recording):
    """Path of a recording for a ``clips.csv`` in `folder`: relative where it lies in there."""
    if recording.path is None:
        return recording.name
    path = os.path.abspath(recording.path)
    inner = os.path.relpath(path, folder)
    return path if inner.startswith(os.pardir) else inner
