"""The user's own recordings: events and scenes in folders, or clips with weak labels."""

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from tfseg.corpora.recordings import NOT_STATED, recordings, wanted
from tfseg.corpora.tables import read_table
from tfseg.errors import DataError

_ENDINGS = {f".{name.lower()}" for name in soundfile.available_formats()} | {
    ".aif",
    ".oga",
    ".opus",
}
# Formats whose ending stands for headerless samples: nothing says what is in such a file.
_ENDINGS -= {".raw"}


def sound_files(folder):
    """List the sound files below a folder, by their ending, in order of their names."""
    return sorted(
        path
        for path in Path(folder).rglob("*")
        if path.suffix.lower() in _ENDINGS
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _attribution(root, paths):
    """Author, licence, source of each file, from an ``attribution.csv`` in `root` if there is one."""
    table = root / "attribution.csv"
    rows = {}
    if table.is_file():
        frame = read_table(table, "attribution")
        rows = {str(root / row.path): row for row in frame.itertuples(index=False)}
    return {
        field: [getattr(rows.get(str(path)), field, NOT_STATED) for path in paths]
        for field in ("author", "licence", "source")
    }


def _group(path, root):
    """Origin of a file: what stands before ``__`` in its name, else the file itself."""
    return str(path.relative_to(root).with_name(path.stem.split("__")[0] or path.stem))


def list_folders(data_root, *, classes, scenes):
    """List ``events/<label>/*`` and ``scenes/*`` (or ``scenes/<kind>/*``), to be remixed.

    Parameters
    ----------
    data_root : path-like
    classes : sequence of str
        Labels to use; each is a folder below ``events``.
    scenes : sequence of str or None
        Folders below ``scenes`` to use; everything there when None.

    Returns
    -------
    recordings : pd.DataFrame
        ``group`` is the file name up to ``__`` (takes of one origin: ``rex__1.wav``,
        ``rex__2.wav``), else the file itself.
    """
    root = Path(data_root)
    for name in ("events", "scenes"):
        if not (root / name).is_dir():
            raise DataError(
                f"{root / name}: expected a folder, found none; the key data_root names the "
                "folder that holds events/<label>/ and scenes/"
            )
    folders = sorted(path.name for path in (root / "events").iterdir() if path.is_dir())
    wanted(folders, classes, "corpus.classes", root / "events")
    unused = [name for name in folders if name not in classes]
    if unused:
        print(f"not used, since corpus.classes does not name them: {', '.join(unused)}")
    parts = []
    for label in classes:
        paths = sound_files(root / "events" / label)
        if not paths:
            raise DataError(f"{root / 'events' / label}: expected sound files, found none")
        groups = [_group(path, root / "events") for path in paths]
        parts.append(recordings("event", paths, label, groups, **_attribution(root, paths)))
    paths = sound_files(root / "scenes")
    kinds = [path.relative_to(root / "scenes").parts for path in paths]
    kinds = [parts[0] if len(parts) > 1 else "scene" for parts in kinds]
    if scenes is not None:
        wanted(kinds, scenes, "corpus.scenes", root / "scenes")
        paths = [path for path, kind in zip(paths, kinds, strict=True) if kind in scenes]
        kinds = [kind for kind in kinds if kind in scenes]
    if not paths:
        raise DataError(f"{root / 'scenes'}: expected sound files, found none")
    groups = [_group(path, root / "scenes") for path in paths]
    parts.append(recordings("scene", paths, kinds, groups, **_attribution(root, paths)))
    return pd.concat(parts, ignore_index=True)


def split_tags(text):
    """Tags of a clip: separated by ``;`` or ``,``, in order, each once."""
    names = (name.strip() for name in text.replace(",", ";").split(";"))
    return list(dict.fromkeys(name for name in names if name))


def list_clips(data_root, *, classes):
    """List ``clips.csv``: recordings that already are mixtures, with their weak labels.

    Parameters
    ----------
    data_root : path-like
        Holds ``clips.csv``; its paths are relative to this folder, or absolute.
    classes : sequence of str
        Tags that are not among these are not learned.

    Returns
    -------
    recordings : pd.DataFrame
        ``part`` is the ``fold`` of ``clips.csv`` (0 where it gives none).
    """
    root = Path(data_root)
    path = root / "clips.csv"
    frame = read_table(path, "own_clips")
    tags = [split_tags(text) for text in frame["tags"]]
    wanted((tag for names in tags for tag in names), classes, "corpus.classes", path)
    others = sorted({tag for names in tags for tag in names} - set(classes))
    if others:
        print(f"not learned, since corpus.classes does not name them: {', '.join(others)}")
    names = [clip_name(name, root) for name in frame["path"]]
    paths = [root / name for name in names]
    strong = clip_events(root, names, classes)
    ends = [max((event[2] for event in strong.get(name, [])), default=np.nan) for name in names]
    groups = frame["group"] if "group" in frame.columns else frame["path"]
    folds = [int(fold) for fold in frame["fold"]] if "fold" in frame.columns else 0
    return recordings(
        "clip",
        paths,
        [";".join(name for name in names if name in classes) for names in tags],
        groups,
        part=folds,
        label_stop_s=ends,
        **_attribution(root, paths),
    )


def clip_name(path, root):
    """Name of a clip in results: its path as ``clips.csv`` has it, relative where it can be."""
    path = Path(path)
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def clip_events(data_root, clips, classes, *, partly=False):
    """Read ``strong.tsv``, the times of the events in some of the clips, if it is there.

    Parameters
    ----------
    data_root : path-like
    clips : sequence of str
        Names of the clips as in ``clips.csv``.
    classes : sequence of str
        Events of other labels are left out.
    partly : bool
        Whether `clips` may lack clips that the table names (those that were left out).

    Returns
    -------
    events : dict of str to list of (label, onset_s, offset_s)
        Only clips that the table names: one without events has a row with empty fields (DESED's
        convention); clips that it does not name have no reference.
    """
    path = Path(data_root) / "strong.tsv"
    if not path.exists():
        return {}
    known = {clip_name(name, data_root) for name in clips}
    events = {}
    for row in read_table(path, "detected_events").itertuples(index=False):
        name = clip_name(row.filename, data_root)
        if name not in known and partly:
            continue
        if name not in known:
            raise DataError(
                f"{path}: expected a path of clips.csv as filename, found {row.filename!r}"
            )
        found = events.setdefault(name, [])
        if row.event_label in classes:
            onset_s, offset_s = float(row.onset), float(row.offset)
            if offset_s <= onset_s:
                raise DataError(
                    f"{path}: {row.filename}, {row.event_label}: expected an offset after the "
                    f"onset ({onset_s} s), found {offset_s} s"
                )
            found.append((row.event_label, onset_s, offset_s))
    return events
