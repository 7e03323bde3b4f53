"""Annotations of files and folders, read by their content."""

import functools
import re
from pathlib import Path

from tfseg.annotations.merging import checked, cleaned, merged
from tfseg.annotations.recording import Recording
from tfseg.annotations.registry import expected_formats, formats, recognised
from tfseg.annotations.report import Report
from tfseg.annotations.sounds import located, name_beside, sounds_by_stem
from tfseg.annotations.source import Source, raise_faults
from tfseg.errors import DataError, TableError
from tfseg.io.files import read_json
from tfseg.io.sound_files import (
    ABOUT,
    all_files,
    content_kind,
    is_results_folder,
    why_missing,
)

_ENDINGS = {"", ".ann", ".csv", ".json", ".lab", ".tab", ".tsv", ".txt"}
_TABLE_ENDINGS = {".csv", ".json", ".tsv"}
_OF_ALL_RESULTS = ("recordings.csv", "summary.csv")  # of `tfseg apply`
_EMPTY = "empty"  # in place of a format's name
# What Raven puts behind the name of the recording.
_RAVEN = re.compile(r"\.(Table|Selections?)\.[0-9]+(\.selections)?$|\.selections$")


def read(path, source_format=None, *, audio=None, label_column=None):
    """Read annotations: what sounds in which recording, and when.

    `tfseg.annotations.collect.collect` also reports what was merged and left out.

    Parameters
    ----------
    path : path-like
        A file, or a folder with files, of any format that ``tfseg convert`` knows.
    source_format : str or None
        None: told by the content.
    audio : path-like or None
        Folder of the recordings. Names then are paths of its files, and times are checked against
        their lengths.
    label_column : str or None
        Column of a Raven table that has the labels.

    Returns
    -------
    recordings : list of tfseg.annotations.recording.Recording

    Raises
    ------
    TableError
        When a file is of no known format, may be of several, or a line of it is wrong.
    DataError
        When nothing is there.
    """
    return collect([path], source_format, audio=audio, label_column=label_column)[0]


def collect(paths, source_format=None, *, audio=None, label_column=None, rename=None):
    """Read annotations of several files and folders, and report on it.

    Parameters
    ----------
    paths : sequence of path-like
    source_format, audio, label_column
        As in `read`.
    rename : dict of str to str or None
        New labels by old ones.

    Returns
    -------
    recordings : list of Recording
        Each once, in order of their first mention.
    report : Report
    """
    report, found, unknown = Report(), [], []
    by_stem = functools.cache(sounds_by_stem)
    for given in map(Path, paths):
        files, root = _files(given, report)
        for path in files:
            source = Source(path, _recording_name(path, root, by_stem), label_column)
            kind = _format_of(source, source_format, is_named=path == given)
            if kind is None:
                unknown.append(f"{path}: {source.looks_like()}")
                continue
            report.files[kind] += 1
            found += _read(source, kind, report)
    if unknown and not found:
        raise TableError(
            f"{unknown[0]}: it is of no known format. Expected one of\n{expected_formats()}"
        )
    for what in unknown:
        report.note("left out, of no known format", what)
    durations_s: dict = {}
    if audio is not None:
        found, durations_s = located(found, audio, report)
    recordings = merged(found, report)
    cleaned(recordings, report, rename or {})
    checked(recordings, report, durations_s)
    if not recordings:
        raise DataError("\n".join(["expected labels of recordings, found none", *report.lines([])]))
    return recordings, report


def _files(path, report):
    """Files of annotations that a path means, and the folder that names are relative to."""
    if path.is_file():
        return [path], path.parent
    if not path.is_dir():
        raise DataError(
            f"{path}: expected annotations or a folder of them, found {why_missing(path)}"
        )
    files = sorted(all_files(path))
    results = [p for p in files if p.name == ABOUT and is_results_folder(p.parent)]
    inside = {p.parent for p in results}
    tables = {folder.parent / name for folder in inside for name in _OF_ALL_RESULTS}
    visible = [p for p in files if not any(x[0] == "." for x in p.relative_to(path).parts)]
    texts = [
        p
        for p in visible
        if p.suffix.lower() in _ENDINGS
        and content_kind(p) is None
        and p not in tables
        and inside.isdisjoint(p.parents)
    ]
    if results:
        for other in texts:
            report.note("left out, beside results of tfseg apply", str(other))
        return results, path
    if not texts:
        raise DataError(
            f"{path}: expected annotations in this folder ({', '.join(sorted(_ENDINGS - {''}))}), "
            f"found none among {len(files)} files"
        )
    return texts, path


def _recording_name(path, root, by_stem):
    """Name of the recording that a label file is about, if it names none itself."""
    if is_results_folder(path.parent):
        return read_json(path.parent / ABOUT)["recording"]
    folder = path.parent.relative_to(root)
    return (folder / name_beside(path, _RAVEN.sub("", path.stem), by_stem(path.parent))).as_posix()


def _format_of(source, wanted, *, is_named):
    """Name of a file's format; None where it is of none, in a folder of other files.

    A file without any text is a recording without events, and fits every format that has a file for
    each recording.
    """
    if not source.rows:
        if source.path.suffix.lower() in _TABLE_ENDINGS:
            raise TableError(f"{source.path}: expected a table or JSON, found an empty file")
        return _EMPTY
    if wanted is not None:
        return wanted
    known = recognised(source)
    if known is None and is_named:
        raise TableError(
            f"{source.path}: it is of no known format: {source.looks_like()}. Expected one of\n"
            f"{expected_formats()}"
        )
    return known and known.name


def _read(source, kind, report):
    """Read a file whose format is known."""
    if kind == _EMPTY:
        return [Recording(source.recording, where=str(source.path))]
    recordings = formats()[kind].module.read(source)
    raise_faults(source.faults)
    for what, name in source.notes:
        report.note(what, name)
    return recordings
