"""Which recordings are meant by the paths that a user gives, and what their results are called."""

import csv
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tfseg.datasets.user_data import sound_files
from tfseg.errors import DataError

_LIST_ENDINGS = (".txt", ".csv", ".tsv")


@dataclass(frozen=True)
class Recording:
    """A recording to analyse.

    Attributes
    ----------
    name : str
        Of its folder of results: a plain file name, unique among the recordings.
    path : Path
    """

    name: str
    path: Path


def _listed(path):
    """Paths in a list: lines of a text file, or the column ``path`` of a table."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path}: expected a list of recordings in UTF-8") from None
    if path.suffix.lower() == ".txt":
        names = [line.strip() for line in text.splitlines() if line.strip()]
    else:
        delimiter = "," if path.suffix.lower() == ".csv" else "\t"
        rows = list(csv.DictReader(text.splitlines(), delimiter=delimiter))
        if not rows or "path" not in rows[0]:
            raise DataError(f"{path}: expected a table with a column 'path' and at least one row")
        names = [row["path"] for row in rows if row["path"]]
    if not names:
        raise DataError(f"{path}: expected a list of recordings, found none in it")
    return [path.parent / name for name in names]


def plain_name(text):
    """Spell a path as one file name that any file system and any URL takes."""
    return re.sub(r"[^\w.-]+", "_", text.replace("/", "__")).strip("._")[:120] or "recording"


def find_recordings(paths, to_come=()):
    """Find the recordings that files, folders and lists name.

    Parameters
    ----------
    paths : sequence of path-like
        Sound files; folders, of which all sound files are taken (by their ending, deeper folders
        too, hidden ones not); lists: ``.txt`` with a path in each line, ``.csv`` or ``.tsv`` with a
        column ``path``, relative to the list. A file that is named is taken whatever its ending.
    to_come : iterable of Path
        Recordings that will be made: they, or their folder, may be named before they are there.

    Returns
    -------
    recordings : list of Recording
        In the order given, each file once.

    Raises
    ------
    DataError
        When a path does not exist, a folder holds no sound file, or a list names none. That a
        listed file exists and can be read is seen when it is analysed.
    """
    named, to_come = {}, list(to_come)
    for path in map(Path, paths):
        coming = {file: file.stem for file in to_come if path in (file, file.parent)}
        if coming:
            files = coming
        elif path.is_dir():
            files = {
                file: str(file.relative_to(path).with_suffix("")) for file in sound_files(path)
            }
            if not files:
                raise DataError(f"{path}: expected sound files in this folder, found none")
        elif not path.exists():
            raise DataError(
                f"{path}: expected a recording, a folder or a list, found nothing there"
            )
        elif path.suffix.lower() in _LIST_ENDINGS:
            files = {file: file.stem for file in _listed(path)}
        else:
            files = {path: path.stem}
        for file, name in files.items():
            named.setdefault(file.absolute(), (file, plain_name(name)))
    uses = Counter(name.casefold() for _, name in named.values())
    found = []
    for absolute, (path, plain) in named.items():
        if uses[plain.casefold()] > 1:
            # The same name in two folders, or with two endings: its place tells them apart.
            place = hashlib.sha256(str(absolute).encode(errors="surrogateescape"))
            plain = f"{plain}-{place.hexdigest()[:8]}"
        found.append(Recording(plain, path))
    return found
