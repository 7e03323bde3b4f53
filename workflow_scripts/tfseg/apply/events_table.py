"""The table of all events of many recordings, ``events.parquet``: a row for each event.

It is written as the recordings are read, and is never whole in memory. Parquet keeps the type of
each column; it needs pyarrow, the package's extra ``parquet``.
"""

import contextlib
import importlib.util

from tfseg import __version__
from tfseg.io.files import whole_file
from tfseg.io.validation import savable

EVENTS_TABLE = "events.parquet"
NO_PARQUET = (
    f"{EVENTS_TABLE} is left out: it needs pyarrow. For it run pip install 'tfseg[parquet]', then the "
    "same command"
)
# Name, type of pyarrow, unit.
COLUMNS = (
    ("recording", "string", ""),
    ("path", "string", ""),
    ("onset_s", "double", "s"),
    ("offset_s", "double", "s"),
    ("class", "string", ""),
    ("confidence", "float", "1"),
    ("low_hz", "float", "Hz"),
    ("high_hz", "float", "Hz"),
)
_ROWS_AT_ONCE = 65536


def missing_for_parquet():
    """Whether the library that writes the table is not installed."""
    return importlib.util.find_spec("pyarrow") is None


class _Rows:
    """Rows of the table, written many at a time."""

    def __init__(self, writer, schema):
        self._writer, self._schema, self._rows = writer, schema, []

    def add(self, analysis):
        """Add the events of a recording."""
        place = analysis.name, savable(analysis.path)
        for event in analysis.events:
            self._rows.append(
                (
                    *place,
                    event.onset_s,
                    event.offset_s,
                    event.label,
                    event.confidence,
                    event.low_hz,
                    event.high_hz,
                )
            )
            if len(self._rows) == _ROWS_AT_ONCE:
                self.write()

    def write(self):
        """Write the rows that are held."""
        from pyarrow import table

        columns = list(zip(*self._rows, strict=True)) or [()] * len(COLUMNS)
        names = [name for name, _, _ in COLUMNS]
        self._writer.write_table(table(dict(zip(names, columns, strict=True)), self._schema))
        self._rows = []


class _NoRows:
    """Takes events and writes none, where pyarrow is missing."""

    def add(self, analysis):
        """Take the events of a recording."""


@contextlib.contextmanager
def events_table(folder, model):
    """Yield an object whose method ``add`` takes analyses; writes the table when the block ends.

    Parameters
    ----------
    folder : Path
    model : tfseg.inference.model_folder.ModelFolder
        Is named in the table.
    """
    if missing_for_parquet():
        # One of an earlier call would not fit the tables beside it.
        (folder / EVENTS_TABLE).unlink(missing_ok=True)
        yield _NoRows()
        return
    # Imported here: it is an extra, and takes a while.
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    schema = pyarrow.schema(
        [
            pyarrow.field(name, kind, nullable=False, metadata={"unit": unit} if unit else None)
            for name, kind, unit in COLUMNS
        ],
        metadata={"tfseg": __version__, "system": model.system, "model_sha256": model.sha256},
    )
    with (
        whole_file(folder / EVENTS_TABLE) as temporary_path,
        ParquetWriter(temporary_path, schema, compression="zstd") as writer,
    ):
        rows = _Rows(writer, schema)
        yield rows
        rows.write()
