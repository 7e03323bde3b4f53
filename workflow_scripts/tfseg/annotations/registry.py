"""The formats of annotations that there are, and which one a file has.

Each is one file of ``formats/``, found by listing the folder, and declares itself there: a
module-level literal ``DECLARATION`` with

- ``summary``: one line, what a file of it looks like;
- ``carries``: what it can hold of a recording (`CARRIED`);
- ``order``: its place in lists.

The module has ``recognise(source)``, whether a file's content is of this format, and ``read(source)``,
which gives a list of `tfseg.annotations.recording.Recording`. One that can be written has
``write(recordings, folder)``, which gives the text of each of its files by path.
"""

import functools
import importlib
from dataclasses import dataclass
from pathlib import Path

from tfseg.errors import ConfigError, TableError
from tfseg.io.declarations import NAME, read_declaration

_FOLDER = Path(__file__).resolve().parent / "formats"
# What annotations may hold, and what it is called in reports.
CARRIED = {
    "times": "onset and offset",
    "tags": "tags without times",
    "empty": "recordings without events",
    "frequency": "frequency bounds",
    "confidence": "confidence",
    "fold": "folds",
    "group": "groups",
}


@dataclass(frozen=True)
class Format:
    """What a format says of itself.

    Attributes
    ----------
    name : str
        Of its file.
    summary : str
    carries : frozenset of str
        Some of `CARRIED`.
    order : int
    """

    name: str
    summary: str
    carries: frozenset
    order: int

    @property
    def module(self):
        """Its module."""
        return importlib.import_module(f"tfseg.annotations.formats.{self.name}")

    @property
    def is_written(self):
        """Whether it can be written."""
        return hasattr(self.module, "write")


@functools.cache
def formats():
    """Find all formats: name to `Format`, in their order.

    Raises
    ------
    ConfigError
        When a module declares something else than a format.
    """
    found = []
    for path in sorted(_FOLDER.glob("[!_]*.py")):
        declared = read_declaration(path) or {}
        if set(declared) != {"summary", "carries", "order"} or not set(declared["carries"]) <= set(
            CARRIED
        ):
            raise ConfigError(
                f"{path}: {NAME}: expected summary, order and carries (of {', '.join(CARRIED)}), "
                f"found {declared}"
            )
        carries = frozenset(declared["carries"])
        found.append(Format(path.stem, declared["summary"], carries, declared["order"]))
    return {known.name: known for known in sorted(found, key=lambda known: known.order)}


def recognised(source):
    """Tell the format of a file by its content.

    Parameters
    ----------
    source : tfseg.annotations.source.Source

    Returns
    -------
    format : Format or None
        None where it is of no known format.

    Raises
    ------
    TableError
        When it may be of several.
    """
    fitting = [known for known in formats().values() if known.module.recognise(source)]
    if len(fitting) > 1:
        raise TableError(
            f"{source.path}: expected one format, found that it may be "
            f"{' or '.join(known.name for known in fitting)}: say which with --from"
        )
    return fitting[0] if fitting else None


def expected_formats():
    """List the formats, a line for each, for a message."""
    return "\n".join(f"  {known.name}: {known.summary}" for known in formats().values())
