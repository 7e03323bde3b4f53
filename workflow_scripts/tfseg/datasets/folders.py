"""The user's own recordings in folders: events and scenes, to be mixed."""

from pathlib import Path

import pandas as pd

from tfseg.datasets.recordings import recordings, wanted
from tfseg.datasets.user_data import attribution, check_others, sound_files
from tfseg.errors import DataError

DECLARATION = {
    "summary": "your own recordings in events/<label>/ and scenes/, to be mixed",
    "holds": "events",
    "sources": ["events", "scenes"],
    "takes": ["scenes", "other_labels"],
    "described_in": "docs/reference/own_recordings.md",
}


def _group(path, root):
    """Source of a file: the part of its name before ``__``, else the file itself."""
    return str(path.relative_to(root).with_name(path.stem.split("__")[0] or path.stem))


def list_recordings(data_root, *, classes, scenes, other_labels):
    """List ``events/<label>/*`` and ``scenes/*`` (or ``scenes/<kind>/*``), to be remixed.

    Parameters
    ----------
    data_root : path-like
    classes : sequence of str
        Labels to use; each is a folder below ``events``.
    scenes : sequence of str or None
        Folders below ``scenes`` to use; None: all.
    other_labels : {"error", "ignore"}
        Handling of folders that are not in `classes`.

    Returns
    -------
    recordings : pd.DataFrame
        ``group`` is the file name up to ``__`` (``rex__1.wav`` and ``rex__2.wav`` have one source),
        else the file itself.
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
    check_others(folders, classes, other_labels, root / "events")
    parts = []
    for label in classes:
        paths = sound_files(root / "events" / label)
        if not paths:
            raise DataError(f"{root / 'events' / label}: expected sound files, found none")
        groups = [_group(path, root / "events") for path in paths]
        parts.append(recordings("event", paths, label, groups, **attribution(root, paths)))
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
    parts.append(recordings("scene", paths, kinds, groups, **attribution(root, paths)))
    return pd.concat(parts, ignore_index=True)
