"""ESC-50 (and ESC-10, its subset): the config selects classes as events and others as scenes.

Any folder in ESC-50's layout works, also one with a part of the clips; its ``meta/esc50.csv`` lists
them.
"""

import re
from pathlib import Path

import pandas as pd

from tfseg.datasets.recordings import NOT_STATED, check_count, recordings, wanted
from tfseg.errors import DataError

DECLARATION = {
    "summary": "ESC-50, or a folder in its layout: some classes are events, others are scenes",
    "holds": "events",
    "split": "folds",
    "downloads": ["esc50"],
    "expects": ["clips"],
    "found_by": "meta/esc50.csv",
    "takes": ["scenes"],
}
_COLUMNS = ["filename", "fold", "category", "src_file"]
_LICENCE = "CC BY-NC 3.0 (ESC-50 as a whole)"
_SUBSET_LICENCE = "CC BY 3.0 (ESC-10 as a whole)"
_CREDIT = re.compile(
    r"^- \[(?P<clip>[^\]]+)\.\w+\]: .*\((?P<url>http[^)]*)\) by (?P<author>.*) \[(?P<licence>[^\]]+)\]"
)


def _read_csv(path, columns, what):
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise DataError(
            f"{path}: expected ESC-50's {what}, found nothing there; set a folder in ESC-50's "
            "layout with the key data_root"
        ) from None
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: expected ESC-50's {what} as CSV, found: {error}") from None
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(f"{path}: expected columns {columns}, missing {missing}")
    return frame


def _credits(folder):
    """Read author, licence and URL of each clip, by its name without take and ending.

    They come from ``CREDITS.csv`` if it exists, else from the list in ESC-50's ``LICENSE``.
    """
    table = folder / "CREDITS.csv"
    if table.is_file():
        frame = _read_csv(table, ["filename", "author", "licence", "source_url"], "credits")
        rows = zip(frame["author"], frame["licence"], frame["source_url"], strict=True)
        return dict(zip((Path(name).stem for name in frame["filename"]), rows, strict=True))
    licence = folder / "LICENSE"
    if not licence.is_file():
        return {}
    matches = map(_CREDIT.match, licence.read_text(encoding="utf-8", errors="replace").splitlines())
    return {m["clip"]: (m["author"], m["licence"], m["url"]) for m in matches if m}


def list_recordings(folder, *, classes, scenes, expect=None):
    """List the clips of some categories as events and of others as scenes.

    Parameters
    ----------
    folder : path-like
        In ESC-50's layout; it may have only a part of the clips.
    classes, scenes : sequence of str
        Categories that serve as events, and as scenes.
    expect : dict or None
        ``clips``: number of clips in the list of the whole archive.

    Returns
    -------
    recordings : pd.DataFrame
        ``part`` is ESC-50's own fold, ``group`` the Freesound recording.
    """
    folder = Path(folder)
    path = folder / "meta" / "esc50.csv"
    meta = _read_csv(path, _COLUMNS, "list of clips")
    no_number = meta[~meta["fold"].str.fullmatch("[0-9]+")]
    if len(no_number):
        row = no_number.iloc[0]
        raise DataError(
            f"{path}: {row['filename']}: expected a whole number as fold, found {row['fold']!r}"
        )
    if expect is not None:
        check_count("clips", expect["clips"], len(meta), path)
    if not scenes:
        raise DataError(f"{path}: expected categories to use as scenes in corpus.scenes")
    both = sorted(set(classes) & set(scenes))
    if both:
        raise DataError(f"{path}: {', '.join(both)} is in corpus.classes and in corpus.scenes")
    wanted(meta["category"], classes, "corpus.classes", path)
    wanted(meta["category"], scenes, "corpus.scenes", path)
    meta = meta.sort_values("filename")
    credits = _credits(folder)
    # ESC-50's list names clips without their class: 1-100032-A, not 1-100032-A-0.
    stems = [Path(name).stem for name in meta["filename"]]
    found = [
        credits.get(stem) or credits.get(stem.rsplit("-", 1)[0]) or (NOT_STATED, "", NOT_STATED)
        for stem in stems
    ]
    in_subset = meta.get("esc10", pd.Series("", index=meta.index)) == "True"
    meta = meta.assign(
        author=[author for author, _, _ in found],
        licence=[
            "; ".join(filter(None, [licence, _SUBSET_LICENCE if subset else _LICENCE]))
            for (_, licence, _), subset in zip(found, in_subset, strict=True)
        ],
        source=[url for _, _, url in found],
    )
    parts = []
    for role, categories in (("event", classes), ("scene", scenes)):
        rows = meta[meta["category"].isin(categories)]
        parts.append(
            recordings(
                role,
                [folder / "audio" / name for name in rows["filename"]],
                rows["category"],
                [f"freesound {source}" for source in rows["src_file"]],
                part=rows["fold"].astype(int),
                author=rows["author"],
                licence=rows["licence"],
                source=rows["source"],
            )
        )
    return pd.concat(parts, ignore_index=True)
