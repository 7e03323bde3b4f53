"""Which recordings are meant by the paths that a user gives, and what their results are called."""

import csv
import hashlib
import io
import os
import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

from tfseg.errors import DataError
from tfseg.io.files import file_sha256
from tfseg.io.sound_files import folder_content, why_missing
from tfseg.io.validation import one_line, same_form, savable

_LIST_ENDINGS = (".txt", ".csv", ".tsv")
_NAME_BYTES = 120  # of the file's own name; file systems take 255 in all
_NOT_PLAIN = re.compile(r"[^\w.-]+")
# Windows opens devices under these names, whatever their ending.
_DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in "123456789"),
}


@dataclass(frozen=True)
class Recording:
    """A recording to analyse.

    Attributes
    ----------
    name : str
        Of its folder of results: a plain file name that follows from the recording's place alone.
    path : Path
    """

    name: str
    path: Path


@dataclass(frozen=True)
class Listing:
    """The recordings that paths name.

    Attributes
    ----------
    recordings : list of Recording
        In the order given, each file once.
    notes : list of str
        Lines on what was left out.
    """

    recordings: list
    notes: list


def _text_of_list(path):
    """Read a list: UTF-8, or UTF-16 with its mark; other bytes stay as names of files have them."""
    content = path.read_bytes()
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError:
            raise DataError(f"{path}: expected a list of recordings as text") from None
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _names_in_table(path, text):
    """Fields of the column ``path``; the separator is the one that shows it in the header."""
    header = text.partition("\n")[0]
    own = "," if path.suffix.lower() == ".csv" else "\t"
    for separator in dict.fromkeys([own, ",", "\t", ";"]):
        columns = next(csv.reader([header], delimiter=separator), [])
        if "path" in (column.strip().casefold() for column in columns):
            rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
            place = [column.strip().casefold() for column in next(rows)].index("path")
            return [row[place] for row in rows if len(row) > place and row[place]]
    return None


def _listed(path):
    """Paths in a list: lines of a text file, or the column ``path`` of a table."""
    text = _text_of_list(path)
    if path.suffix.lower() == ".txt":
        lines = [line.rstrip("\r") for line in text.split("\n") if line.strip()]
        names = [line if os.path.exists(path.parent / line) else line.strip() for line in lines]
    else:
        try:
            names = _names_in_table(path, text)
        except csv.Error as error:
            raise DataError(f"{path}: expected a table, found: {error}") from None
        if not names:
            raise DataError(f"{path}: expected a table with a column 'path' and at least one row")
    if not names:
        raise DataError(f"{path}: expected a list of recordings, found none in it")
    return [path.parent / name for name in names]


def _spelt(match):
    """Replace a run of signs by ``_``, but for the marks of other scripts that the letter before has."""
    run = match.group()
    n_marks = 0
    while match.start() and run[n_marks:] and unicodedata.category(run[n_marks])[0] == "M":
        n_marks += 1
    return run[:n_marks] + ("_" if run[n_marks:] else "")


def plain_name(text):
    """Spell a text as one file name that any file system and any URL takes, in Unicode's NFC."""
    plain = _NOT_PLAIN.sub(_spelt, same_form(text).replace("/", "__")).strip("._")
    plain = plain.encode()[:_NAME_BYTES].decode(errors="ignore") or "recording"
    return f"_{plain}" if plain.partition(".")[0].casefold() in _DEVICES else plain


def results_name(path):
    """Name of a recording's folder of results: its own name, and eight digits of its place.

    The place is the path of the file itself, links resolved: within the working folder as seen from
    there, else from the root. So the name is the same however the file is spelled and whatever else
    is analysed with it, and it stays when a project is moved or copied as a whole.
    """
    place = Path(os.path.realpath(path))
    here = os.path.realpath(os.curdir)
    if place.is_relative_to(here):
        place = place.relative_to(here)
    digest = hashlib.sha256(os.fsencode(place)).hexdigest()
    return f"{plain_name(Path(path).stem)}-{digest[:8]}"


def find_recordings(paths, out, to_come=()):
    """Find the recordings that files, folders and lists name.

    Parameters
    ----------
    paths : sequence of path-like
        Sound files; folders, of which all that looks like sound or video is taken
        (`tfseg.io.sound_files.folder_content`); lists: ``.txt`` with a path in each line, ``.csv``
        or ``.tsv`` with a column ``path``, relative to the list. A file that is named is taken
        whatever its ending.
    out : path-like
        Where results go: not looked into.
    to_come : iterable of Path
        Recordings that will be made: they, or their folder, may be named before they are there.

    Returns
    -------
    listing : Listing

    Raises
    ------
    DataError
        When a path does not exist, a folder holds no sound file, or a list names none. That a
        listed file exists and can be read is seen when it is analysed; so are folders within a
        given one that cannot be listed, which are among the recordings.
    """
    found, notes, to_come = {}, [], list(to_come)
    for given in paths:
        path = Path(given)
        if not os.fspath(given):  # such as an unset variable of a shell: no path, not this folder
            raise DataError("expected a recording, a folder or a list, found an empty path")
        coming = [file for file in to_come if path in (file, file.parent)]
        if coming:
            files = coming
        elif os.path.isdir(path):
            content = folder_content(path, leave_out=[out])
            left_out = content.notes(path)
            if not content.sounds:
                reasons = [*left_out, *content.closed_notes()]
                hint = f" ({'; '.join(reasons)})" if reasons else ""
                raise DataError(f"{path}: expected sound files in this folder, found none{hint}")
            # What cannot be looked into is listed too: its analysis fails, and says why.
            files = content.sounds + [closed for closed, _ in content.closed]
            notes = notes + left_out
        elif not os.path.exists(path):
            raise DataError(
                f"{path}: expected a recording, a folder or a list, found {why_missing(path)}"
            )
        elif not os.path.isfile(path):
            raise DataError(f"{path}: expected a file or a folder, found a pipe or a device")
        else:
            files = _listed(path) if path.suffix.lower() in _LIST_ENDINGS else [path]
        for file in files:
            found.setdefault(os.path.realpath(file), file)
    recordings = [Recording(results_name(path), path) for path in found.values()]
    return Listing(recordings, list(dict.fromkeys(notes)))


def with_earlier_names(recordings, earlier):
    """Let recordings keep the folders that hold their results already, whatever those are called.

    Results of older versions have other names, and so have those of a call from another folder, or
    of recordings that were moved. A folder is a recording's when it names the same file, or a file that is no
    longer there and had the same content.

    Parameters
    ----------
    recordings : sequence of Recording
    earlier : dict of str to dict
        Facts of each folder of results by its name: ``recording`` and ``recording_sha256``.

    Returns
    -------
    recordings : list of Recording
    """
    free = dict(earlier)
    for recording in recordings:
        free.pop(recording.name, None)
    # Names of free folders by the file that they name, or by the content of one that is gone.
    by_file, gone = {}, {}
    for name, facts in free.items():
        if os.path.exists(facts["recording"]):
            by_file.setdefault(_identity(facts["recording"]), []).append(name)
        else:
            gone.setdefault(facts["recording_sha256"], []).append(name)
    named = []
    for recording in recordings:
        name = recording.name
        if name not in earlier and os.path.isfile(recording.path):
            name = _earlier_name(recording.path, by_file, gone) or name
        named.append(replace(recording, name=name))
    return named


def _identity(path):
    facts = os.stat(path)
    return facts.st_dev, facts.st_ino


def _earlier_name(path, by_file, gone):
    """Take the first name that fits a file; None where none does."""
    names = by_file.get(_identity(path))
    if not names and gone:
        try:
            names = gone.get(file_sha256(path))
        except OSError:  # said when it is analysed
            return None
    return names.pop(0) if names else None


def match_reference(reference, recordings, table):
    """Give what a table knows of recordings to those that its file names mean.

    A name may be a path, absolute or relative to the table or to the working folder, or the last
    parts of one. Names that look alike are equal, in whichever normal form of Unicode they are.

    Parameters
    ----------
    reference : dict of str to list
        What is known, by the table's file names.
    recordings : sequence of Recording
    table : path-like

    Returns
    -------
    known : dict of str to list of str
        File names of the table by the name of the recording that they mean.
    unused : list of str
        File names that mean none.

    Raises
    ------
    DataError
        When a name may mean several recordings.
    """
    ends = {}
    for recording in recordings:
        for spelling in {os.path.abspath(recording.path), os.path.realpath(recording.path)}:
            parts = tuple(same_form(savable(spelling)).split("/"))
            for first in range(1, len(parts)):
                ends.setdefault(parts[first:], {})[recording.name] = recording
    known, unused, unclear = {}, [], []
    for name in reference:
        meant = _meant(name, Path(table).parent, ends)
        if len(meant) > 1:
            paths = ", ".join(str(recording.path) for recording in meant[:3])
            unclear.append(f"{table}: {name!r} may mean {paths}: write more of the path")
        elif meant:
            known.setdefault(meant[0].name, []).append(name)
        else:
            unused.append(name)
    if unclear:
        raise DataError("\n".join(unclear))
    return known, unused


def _meant(name, folder, ends):
    """Recordings that a name of a table may mean: by whole paths, else by the last parts of paths."""
    spelled = same_form(savable(name))
    for text in dict.fromkeys([spelled, spelled.replace("\\", "/")]):
        for whole in (folder / text, Path(text)):
            parts = tuple(os.path.abspath(whole).split("/"))[1:]
            if len(ends.get(parts, ())) == 1:
                return list(ends[parts].values())
        parts = tuple(part for part in text.split("/") if part not in ("", "."))
        if parts in ends and not text.startswith("/"):
            return list(ends[parts].values())
    return []


def unused_note(unused, table):
    """Say in a line which file names of a table mean no recording; none where all do."""
    if not unused:
        return []
    named = ", ".join(unused[:5]) + (", ..." if len(unused) > 5 else "")
    files = "1 file name means" if len(unused) == 1 else f"{len(unused)} file names mean"
    return [one_line(f"{table}: {files} none of the recordings: {named}")]
