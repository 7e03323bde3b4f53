"""The JSC corpus: TUT Rare Sound Events 2017, development (JSC section 4).

The source material is used, not the ready mixtures: isolated events cut from Freesound recordings,
backgrounds of TUT Acoustic Scenes 2016, and the authors' split (``cv_setup``), which separates
Freesound users and recording places.
"""

from pathlib import Path

import pandas as pd
import yaml

from tfseg.datasets.recordings import NOT_STATED, check_count, recordings, wanted
from tfseg.errors import DataError

DECLARATION = {
    "summary": "TUT Rare Sound Events 2017 in its authors' split (JSC 2018)",
    "holds": "events",
    "split": "fixed",
    "downloads": ["tut_rare_2017"],
    "expects": ["devtrain_backgrounds", "devtest_backgrounds"],
    "takes": ["scenes"],
}
FOLDER = "TUT-rare-sound-events-2017-development"
# Part 1 is held out in a fixed split.
PARTS = {"devtest": 1, "devtrain": 2}
BACKGROUND_LICENCE = "TUT Acoustic Scenes 2016 EULA: academic, non-commercial use only"


def source_folder(data_root):
    """Find ``source_data`` below the unpacked folder, at any depth."""
    root = Path(data_root) / FOLDER
    for path in (root / "data" / "source_data", root / "source_data", root / FOLDER):
        if path.name == FOLDER:
            path = path / "data" / "source_data"
        if path.is_dir():
            return path
    raise DataError(
        f"{root}: expected data/source_data inside, found none. Delete the folder to unpack its "
        "archives again, or name another one with the key data_root."
    )


def _read_yaml(path):
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: expected a file of the authors' split, found none") from None
    except (yaml.YAMLError, ValueError) as error:
        raise DataError(f"{path}: expected YAML, found: {error}") from None


def _freesound_facts(wav_path):
    """Read author and licence from the text file beside an event recording."""
    path = wav_path.with_suffix(".yaml")
    facts = _read_yaml(path) if path.exists() else {}
    if not isinstance(facts, dict):
        facts = {}
    author = facts.get("username") or facts.get("user") or facts.get("author") or NOT_STATED
    return str(author), str(facts.get("license") or facts.get("licence") or NOT_STATED)


def _event_rows(source, part, label, entries, path):
    rows = []
    if not isinstance(entries, list):
        raise DataError(f"{path}: expected a list of events as {label}, found {entries!r:.60}")
    for entry in entries:
        try:
            name, (start_s, stop_s) = entry["audio_filename"], entry["segment"]
            rows.append(
                (source / "events" / label / Path(name).name, float(start_s), float(stop_s))
            )
        except (KeyError, TypeError, ValueError):
            raise DataError(
                f"{path}: expected audio_filename and segment [start, stop] in each entry of "
                f"{label}, found {entry!r}"
            ) from None
    facts = [_freesound_facts(path) for path, _, _ in rows]
    return recordings(
        "event",
        [path for path, _, _ in rows],
        label,
        [f"freesound {path.stem}" for path, _, _ in rows],
        start_s=[start_s for _, start_s, _ in rows],
        stop_s=[stop_s for _, _, stop_s in rows],
        part=PARTS[part],
        author=[author for author, _ in facts],
        licence=[licence for _, licence in facts],
        source=[
            f"freesound.org sound {path.stem} (TUT Rare Sound Events 2017)" for path, _, _ in rows
        ],
    )


def _scene_rows(source, part, entries, path):
    try:
        rows = [(source / "bgs" / entry["filepath"], entry["classname"]) for entry in entries]
    except (KeyError, TypeError):
        raise DataError(f"{path}: expected filepath and classname in each entry") from None
    return recordings(
        "scene",
        [scene for scene, _ in rows],
        [label for _, label in rows],
        # a001_0_30.wav: the place, and the start and end second within its recording
        [scene.stem.split("_")[0] for scene, _ in rows],
        part=PARTS[part],
        author="Tampere University of Technology",
        licence=BACKGROUND_LICENCE,
        source="TUT Rare Sound Events 2017, development (zenodo 401395)",
    )


def list_recordings(data_root, *, classes, scenes, expect):
    """List the isolated events and the backgrounds of both parts of the authors' split.

    Parameters
    ----------
    data_root : path-like
    classes : sequence of str
        Out of babycry, glassbreak, gunshot.
    scenes : sequence of str or None
        Kinds of background to keep; all when None.
    expect : dict
        ``devtrain_backgrounds``, ``devtest_backgrounds`` (``resources/datasets.yaml``).

    Returns
    -------
    recordings : pd.DataFrame
        ``part`` is 1 for devtest and 2 for devtrain.
    """
    source = source_folder(data_root)
    parts = []
    for part in PARTS:
        path = source / "cv_setup" / f"events_{part}.yaml"
        by_label = _read_yaml(path)
        if not isinstance(by_label, dict):
            raise DataError(f"{path}: expected lists of events by class, found {by_label!r:.60}")
        wanted(by_label, classes, "corpus.classes", path)
        parts += [_event_rows(source, part, label, by_label[label], path) for label in classes]
        path = source / "cv_setup" / f"bgs_{part}.yaml"
        rows = _scene_rows(source, part, _read_yaml(path), path)
        check_count("backgrounds", expect[f"{part}_backgrounds"], len(rows), path)
        if scenes is not None:
            wanted(rows["label"], scenes, "corpus.scenes", path)
            rows = rows[rows["label"].isin(scenes)]
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)
