"""The user's own recordings: events and scenes in folders, or clips with weak labels."""

import difflib
from collections import Counter
from pathlib import Path

import pandas as pd
import soundfile

from tfseg.datasets.corpus_tables import read_table
from tfseg.datasets.recordings import NOT_STATED, recordings, wanted
from tfseg.errors import DataError

_ENDINGS = {f".{name.lower()}" for name in soundfile.available_formats()} | {
    ".aif",
    ".oga",
    ".opus",
}
# Formats whose ending stands for headerless samples: nothing says what is in such a file.
_ENDINGS -= {".raw"}
_LABEL_TOLERANCE_S = 0.01


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


def _check_others(labels, classes, other_labels, where):
    """Refuse labels that are not among the classes, or say that they are left out.

    A misspelt tag that was left out in silence would teach that the sound is not there.
    """
    others = Counter(label for label in labels if label not in classes)
    if not others:
        return
    named = []
    for label, n in sorted(others.items()):
        close = difflib.get_close_matches(label, classes, n=1)
        hint = f", did you mean {close[0]}?" if close else ""
        named.append(f"{label} ({n} times{hint})")
    text = f"{where}: labels that corpus.classes does not name: {'; '.join(named)}"
    if other_labels == "error":
        raise DataError(
            f"{text}. Mend them, add them to corpus.classes, or leave them out with the config key "
            "corpus.other_labels: ignore"
        )
    print(f"{text}. They are left out (corpus.other_labels: ignore).")


def list_folders(data_root, *, classes, scenes, other_labels):
    """List ``events/<label>/*`` and ``scenes/*`` (or ``scenes/<kind>/*``), to be remixed.

    Parameters
    ----------
    data_root : path-like
    classes : sequence of str
        Labels to use; each is a folder below ``events``.
    scenes : sequence of str or None
        Folders below ``scenes`` to use; everything there when None.
    other_labels : {"error", "ignore"}
        What happens to folders that `classes` does not name.

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
    folders = sorted(
        path.name
        for path in (root / "events").iterdir()
        if path.is_dir() and not path.name.startswith(".")
    )
    wanted(folders, classes, "corpus.classes", root / "events")
    _check_others(folders, classes, other_labels, root / "events")
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


def list_clips(data_root, *, classes, other_labels):
    """List ``clips.csv``: recordings that already are mixtures, with their weak labels.

    Parameters
    ----------
    data_root : path-like
        Holds ``clips.csv``; its paths are relative to this folder, or absolute.
    classes : sequence of str
    other_labels : {"error", "ignore"}
        What happens to tags that `classes` does not name.

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
    _check_others([tag for names in tags for tag in names], classes, other_labels, path)
    names = [clip_name(name, root) for name in frame["path"]]
    paths = [root / name for name in names]
    groups = frame["group"] if "group" in frame.columns else frame["path"]
    folds = [int(fold) for fold in frame["fold"]] if "fold" in frame.columns else 0
    return recordings(
        "clip",
        paths,
        [";".join(name for name in names if name in classes) for names in tags],
        groups,
        part=folds,
        **_attribution(root, paths),
    )


def clip_name(path, root):
    """Name of a clip in results: its path as ``clips.csv`` has it, relative where it can be."""
    path = Path(path)
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def clip_events(data_root, durations_s, *, classes, other_labels):
    """Read ``strong.tsv``, the times of the events in some of the clips, if it is there.

    Parameters
    ----------
    data_root : path-like
    durations_s : dict of str to float
        Clip to its length; clips that were left out as bad audio are not in it.
    classes : sequence of str
    other_labels : {"error", "ignore"}
        What happens to labels that `classes` does not name.

    Returns
    -------
    events : dict of str to list of (label, onset_s, offset_s)
        Only clips that the table names: one without events has a row with empty fields (DESED's
        convention); clips that it does not name have no reference.
    """
    path = Path(data_root) / "strong.tsv"
    if not path.exists():
        return {}
    listed = {
        clip_name(name, data_root)
        for name in read_table(Path(data_root) / "clips.csv", "own_clips")["path"]
    }
    rows = list(read_table(path, "detected_events").itertuples(index=False))
    labels = [row.event_label for row in rows if row.event_label]
    _check_others(labels, classes, other_labels, path)
    events, seen = {}, set()
    for row in rows:
        name = clip_name(row.filename, data_root)
        if name not in listed:
            raise DataError(
                f"{path}: it names {row.filename!r}, which is no path of clips.csv beside it"
            )
        if name not in durations_s:
            continue
        where = f"{path}: {row.filename}"
        if not row.event_label and (row.onset or row.offset):
            raise DataError(f"{where}: expected a label for its times, found none")
        if row in seen:
            raise DataError(f"{where}: expected every row once, found {row.event_label!r} again")
        seen.add(row)
        found = events.setdefault(name, [])
        if row.event_label not in classes:
            continue
        onset_s, offset_s = float(row.onset), float(row.offset)
        where = f"{where}, {row.event_label}"
        if offset_s <= onset_s:
            raise DataError(
                f"{where}: expected an offset after the onset ({onset_s} s), found {offset_s} s"
            )
        if offset_s > durations_s[name] + _LABEL_TOLERANCE_S:
            raise DataError(
                f"{where}: expected it to end within the clip ({durations_s[name]:.3f} s), found "
                f"{offset_s} s"
            )
        found.append((row.event_label, onset_s, offset_s))
    return events
