"""The TASLP corpus: FSDKaggle2018 events over TUT Urban Acoustic Scenes 2018 (TASLP V-A)."""

from pathlib import Path

import pandas as pd

from tfseg.datasets.recordings import check_count, recordings, wanted
from tfseg.errors import DataError

DECLARATION = {
    "summary": "FSDKaggle2018 events over TUT Urban Acoustic Scenes 2018 (TASLP 2019)",
    "holds": "events",
    "downloads": ["fsdkaggle2018", "tut_urban_2018"],
    "expects": ["verified_recordings", "labels", "scenes", "scene_kinds"],
    "takes": ["scenes"],
}
SCENE_FOLDER = "TUT-urban-acoustic-scenes-2018-development"
EVENT_FOLDER = "FSDKaggle2018.audio_train"
EVENT_META = "FSDKaggle2018.meta/train_post_competition.csv"
SCENE_LICENCE = "TUT Urban Acoustic Scenes 2018: experimental, non-commercial use only"


def _read_meta(path, columns, separator, what):
    try:
        frame = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise DataError(
            f"{path}: expected {what}, found nothing there. Delete the folder to unpack its archive "
            "again, or name another one with the key data_root."
        ) from None
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(f"{path}: expected columns {columns}, missing {missing}")
    return frame


def list_recordings(data_root, *, classes, scenes, expect):
    """List the manually verified recordings and the scenes.

    Parameters
    ----------
    data_root : path-like
        Folder of the unpacked archives.
    classes : sequence of str
        Labels to keep.
    scenes : sequence of str or None
        Kinds of scene to keep; all when None.
    expect : dict
        Numbers that the data sets' authors state: ``verified_recordings``, ``labels``, ``scenes``,
        ``scene_kinds`` (``resources/datasets.yaml``).

    Returns
    -------
    recordings : pd.DataFrame
    """
    root = Path(data_root)
    meta_path = root / EVENT_META
    meta = _read_meta(
        meta_path,
        ["fname", "label", "manually_verified", "freesound_id", "license"],
        ",",
        "FSDKaggle2018's list of training clips",
    )
    # Sorted by name: the folds must not depend on the order of rows in a downloaded table.
    verified = meta[meta["manually_verified"] == "1"].sort_values("fname")
    check_count(
        "manually verified recordings", expect["verified_recordings"], len(verified), meta_path
    )
    check_count("labels", expect["labels"], verified["label"].nunique(), meta_path)
    wanted(verified["label"], classes, "corpus.classes", meta_path)
    kept = verified[verified["label"].isin(classes)]
    scene_path = root / SCENE_FOLDER / "meta.csv"
    scene_meta = _read_meta(
        scene_path, ["filename", "scene_label", "identifier"], "\t", "the scenes' meta data"
    ).sort_values("filename")
    check_count("scenes", expect["scenes"], len(scene_meta), scene_path)
    check_count(
        "kinds of scene", expect["scene_kinds"], scene_meta["scene_label"].nunique(), scene_path
    )
    if scenes is not None:
        wanted(scene_meta["scene_label"], scenes, "corpus.scenes", scene_path)
        scene_meta = scene_meta[scene_meta["scene_label"].isin(scenes)]
    return pd.concat(
        [
            recordings(
                "event",
                [root / EVENT_FOLDER / name for name in kept["fname"]],
                kept["label"],
                kept["freesound_id"],
                author=[f"Freesound uploader of {i}" for i in kept["freesound_id"]],
                licence=kept["license"],
                source=[f"freesound.org sound {i} (FSDKaggle2018)" for i in kept["freesound_id"]],
            ),
            recordings(
                "scene",
                [root / SCENE_FOLDER / name for name in scene_meta["filename"]],
                scene_meta["scene_label"],
                scene_meta["identifier"],
                author="Tampere University of Technology",
                licence=SCENE_LICENCE,
                source="TUT Urban Acoustic Scenes 2018, development (zenodo 1228142)",
            ),
        ],
        ignore_index=True,
    )
