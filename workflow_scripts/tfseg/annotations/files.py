"""Files of annotations that are written: their names, and the text of tables."""

import csv
import io
from pathlib import PurePosixPath

from tfseg.io.validation import savable


def label_files(folder, recordings):
    """Path of the label file of each recording: its whole name, and ``.txt``.

    Parameters
    ----------
    folder : Path
    recordings : sequence of tfseg.annotations.recording.Recording

    Returns
    -------
    paths : list of Path
    """
    names = [PurePosixPath(savable(recording.name)) for recording in recordings]
    inner = [[part for part in name.parts if part not in ("/", "..")] for name in names]
    return [folder.joinpath(*parts[:-1], f"{parts[-1]}.txt") for parts in inner]


def table(rows, separator="\t"):
    """Text of a table, the first of whose rows names the columns."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerows(rows)
    return text.getvalue()
