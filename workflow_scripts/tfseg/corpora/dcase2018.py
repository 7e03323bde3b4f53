"""The TASLP corpus: FSDKaggle2018 events over TUT Urban Acoustic Scenes 2018 (TASLP V-A).

Reads the unpacked archives; a folder that lacks something is reported before anything is mixed.
"""

from pathlib import Path

import pandas as pd

from tfseg import audio
from tfseg.corpora.folds import deal_groups
from tfseg.errors import DataError

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


def read_corpus(data_root, *, classes, n_folds, seed):
    """Describe the manually verified recordings and the scenes in the corpus tables.

    Folds are dealt file-wise at random, as published (`docs/deviations.md` says why that leaks).

    Parameters
    ----------
    data_root : path-like
        Folder that holds the unpacked archives.
    classes : sequence of str
        Labels to keep.
    n_folds, seed : int

    Returns
    -------
    events, scenes, attribution : pd.DataFrame
    """
    root = Path(data_root)
    meta = _read_meta(
        root / EVENT_META,
        ["fname", "label", "manually_verified", "freesound_id", "license"],
        ",",
        "FSDKaggle2018's list of training clips",
    )
    # Sorted by name: the folds must not depend on the order of rows in a downloaded table.
    meta = meta[(meta["manually_verified"] == "1") & meta["label"].isin(classes)].sort_values(
        "fname"
    )
    paths = [root / EVENT_FOLDER / name for name in meta["fname"]]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise DataError(
            f"{len(missing)} of {len(paths)} recordings are missing, first {missing[0]}"
        )
    events = pd.DataFrame(
        {
            "path": list(map(str, paths)),
            "label": list(meta["label"]),
            "fold": deal_groups(meta["fname"], [""] * len(meta), n_folds, seed, "events"),
            "start_s": 0.0,
            "stop_s": [audio.duration_s(path) for path in paths],
            "group": list(meta["freesound_id"]),
            "licence": list(meta["license"]),
        }
    )
    scene_meta = _read_meta(
        root / SCENE_FOLDER / "meta.csv",
        ["filename", "scene_label", "identifier"],
        "\t",
        "the scenes' meta data",
    ).sort_values("filename")
    scene_paths = [root / SCENE_FOLDER / name for name in scene_meta["filename"]]
    missing = [str(path) for path in scene_paths if not path.is_file()]
    if missing:
        raise DataError(
            f"{len(missing)} of {len(scene_paths)} scenes are missing, first {missing[0]}"
        )
    scenes = pd.DataFrame(
        {
            "path": list(map(str, scene_paths)),
            "scene": list(scene_meta["scene_label"]),
            "fold": deal_groups(
                scene_meta["filename"], [""] * len(scene_meta), n_folds, seed, "scenes"
            ),
            "group": list(scene_meta["identifier"]),
            "licence": SCENE_LICENCE,
        }
    )
    attribution = pd.concat(
        [
            pd.DataFrame(
                {
                    "path": events["path"],
                    "author": [f"Freesound uploader of {i}" for i in events["group"]],
                    "licence": events["licence"],
                    "source": [f"freesound.org sound {i} (FSDKaggle2018)" for i in events["group"]],
                }
            ),
            pd.DataFrame(
                {
                    "path": scenes["path"],
                    "author": "Tampere University of Technology",
                    "licence": scenes["licence"],
                    "source": "TUT Urban Acoustic Scenes 2018, development (zenodo 1228142)",
                }
            ),
        ],
        ignore_index=True,
    )
    return events, scenes, attribution
