"""Lists of clips of one class each, as ESC-50 and UrbanSound8K have them."""

from tfseg.annotations.files import table
from tfseg.annotations.recording import Recording
from tfseg.datasets.corpus_tables import read_table
from tfseg.errors import DataError


def read_class_list(source, kind, *, group, label, name):
    """Read a list.

    Parameters
    ----------
    source : tfseg.annotations.source.Source
    kind : str
        Name of a schema.
    group, label : str
        Columns.
    name : callable
        Gives the recording's name of a row.

    Returns
    -------
    recordings : list of Recording
    """
    frame = read_table(source.path, kind)
    return [
        Recording(
            name(row),
            tags=[row[label]],
            times_known=False,
            fold=row["fold"],
            group=row[group],
            where=source.at(line),
        )
        for row, line in zip(frame.to_dict("records"), frame.attrs["lines"], strict=True)
    ]


def class_list(recordings, columns, row):
    """Text of a list.

    Parameters
    ----------
    recordings : sequence of Recording
    columns : list of str
    row : callable
        Fields of a recording, given it, its label and the label's number.

    Raises
    ------
    DataError
        When a recording has no fold, or more or less than one label.
    """
    numbers = {
        label: n for n, label in enumerate(sorted({x for r in recordings for x in r.labels}))
    }
    rows = []
    for recording in recordings:
        if len(recording.labels) != 1 or recording.fold is None:
            fold = "no fold" if recording.fold is None else f"fold {recording.fold}"
            raise DataError(
                f"{recording.where}: {recording.name}: expected one label and a fold for this "
                f"format, found {', '.join(recording.labels) or 'no label'} and {fold}"
            )
        (label,) = recording.labels
        rows.append(row(recording, label, numbers[label]))
    return table([columns, *rows], ",")
