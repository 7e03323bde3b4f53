"""From lists and inspections of recordings to the corpus tables: bad audio, trimming, folds."""

from pathlib import Path

import numpy as np
import pandas as pd

from tfseg.datasets.corpus_tables import check_clip_folds, check_folds
from tfseg.datasets.folds import TRAIN, VALIDATION, deal_groups, deal_parts
from tfseg.datasets.user_data import clip_name
from tfseg.errors import DataError

_SHOWN = 10


def usable(recordings, report, on_bad_audio, report_path, log=print):
    """Leave out unusable recordings, or raise an error for them.

    Parameters
    ----------
    recordings, report : pd.DataFrame
        ``recordings.csv`` and ``corpus_report.csv``.
    on_bad_audio : {"error", "skip"}
    report_path : path-like
        For messages.
    log : callable

    Returns
    -------
    recordings : pd.DataFrame

    Raises
    ------
    DataError
        With ``error`` and any unusable recording; the message lists the first ten.
    """
    bad = report[report["severity"] == "error"]
    if len(bad) == 0:
        return recordings
    lines = [
        f"  {row.path}: {row.problem}: expected {row.expected}, found {row.found}"
        for row in bad.head(_SHOWN).itertuples(index=False)
    ]
    n_files = bad["path"].nunique()
    if len(bad) > _SHOWN:
        lines.append(f"  ... and {len(bad) - _SHOWN} more")
    files = "1 recording" if n_files == 1 else f"{n_files} recordings"
    text = "\n".join([f"{files} cannot be used ({report_path} lists all):", *lines])
    if on_bad_audio == "error":
        raise DataError(
            f"{text}\nRepair or remove them, or leave them out with the config key "
            "corpus.on_bad_audio: skip"
        )
    log(f"{text}\nThey are left out (corpus.on_bad_audio: skip).")
    keys = ["role", "path", "start_s"]
    rows_of_bad = pd.MultiIndex.from_frame(bad[keys])
    return recordings[~pd.MultiIndex.from_frame(recordings[keys]).isin(rows_of_bad)]


def sounding_parts(recordings, inspection, trim_silence):
    """Add the start and end of the used part of each recording.

    Parameters
    ----------
    recordings, inspection : pd.DataFrame
    trim_silence : bool
        Whether digital silence at both ends of an event is removed.

    Returns
    -------
    recordings : pd.DataFrame
        With ``start_s`` and ``stop_s`` set (s).
    """
    keys = ["role", "path", "start_s"]
    facts = inspection[[*keys, "file_s", "sound_start_s", "sound_stop_s"]]
    joined = recordings.merge(facts, how="left", on=keys, validate="one_to_one")
    start_s = joined["start_s"]
    stop_s = np.minimum(joined["stop_s"].fillna(np.inf), joined["file_s"])
    if trim_silence:
        events = joined["role"] == "event"
        start_s = start_s.where(~events, joined["sound_start_s"])
        stop_s = stop_s.where(~events, joined["sound_stop_s"])
    return joined.assign(start_s=start_s, stop_s=stop_s)


def deal_folds(recordings, split, seed):
    """Assign every recording to a fold.

    Parameters
    ----------
    recordings : pd.DataFrame
    split : dict
        ``kind`` (``folds`` or ``fixed``), ``folds`` (their number) and ``by``: ``file`` (single
        files, as in the released code), ``source`` (recordings of one source stay together) or
        ``corpus`` (the corpus's own folds). A fixed split is also the corpus's own: part 1 is held
        out, part 2 is for training.
    seed : int

    Returns
    -------
    fold : pd.Series of int
    """
    if split["kind"] == "fixed" or split["by"] == "corpus":
        missing = recordings[recordings["part"] == 0]
        if len(missing):
            raise DataError(
                f"{missing['path'].iloc[0]}: the corpus gives it no fold (for your own clips: the "
                "column fold of clips.csv); expected one, since the config says split.kind: fixed "
                "or split.by: corpus"
            )
        return recordings["part"].astype(np.int64)
    fold = pd.Series(0, index=recordings.index, dtype=np.int64)
    of_group = {}
    for role, rows in recordings.groupby("role"):
        if split["by"] == "file":
            paths = rows["path"]
            fold[rows.index] = deal_groups(
                paths, [""] * len(rows), split["folds"], seed, f"{role}s"
            )
            continue
        # A source may have several labels; it counts for the alphabetically first. It may also
        # have both events and scenes (ESC-50); these stay together too.
        new = rows[~rows["group"].isin(of_group)]
        strata = new.groupby("group")["label"].transform("min")
        dealt = deal_groups(new["group"], strata, split["folds"], seed, f"{role}s")
        of_group |= dict(zip(new["group"], dealt, strict=True))
        fold[rows.index] = rows["group"].map(of_group)
    return fold


def _strata(rows):
    """Groups by fold and label; each tag of a clip is a label."""
    strata = {}
    for row in rows.itertuples(index=False):
        labels = row.label.split(";") if row.role == "clip" else [row.label]
        for label in labels:
            strata.setdefault((row.fold, label), set()).add(row.group)
    return strata


def _without_single_groups(strata):
    """Merge strata with a single group in a fold, such as a kind of scene with one place."""
    joined = {}
    for (fold, label), groups in strata.items():
        key = (fold, label if len(groups) > 1 else "")
        joined[key] = joined.get(key, set()) | groups
    return joined


def _check_parts(strata, dealt, what):
    """Raise an error for strata that cannot be split; `what` describes a label in the message."""
    for (fold, label), groups in sorted(strata.items()):
        if {dealt[group] for group in groups} == {TRAIN, VALIDATION}:
            continue
        found = str(len(groups)) + (
            " that other classes hold in one part" if len(groups) > 1 else ""
        )
        raise DataError(
            f"corpus: fold {fold}: expected {what.format(label)} from at least 2 sources, some for "
            f"training and some for validation, found {found}; take fewer folds (config key "
            "split.folds), add recordings, or set split.validation: 0"
        )


def deal_validation(recordings, share, folds, seed):
    """Assign every recording to a part: training, or validation for tuning thresholds.

    Recordings of one source have the same part in all folds, regardless of `split.by`. So a source
    is never for training in one fold and for validation in another.

    Parameters
    ----------
    recordings : pd.DataFrame
        With ``fold`` set.
    share : float in [0, 1)
        Share of the sources of each class, and of each kind of scene, for validation.
    folds : sequence of int
        Training folds; all recordings of the others are ``train``.
    seed : int

    Returns
    -------
    part : pd.Series of {"train", "validation"}

    Raises
    ------
    DataError
        When a class, the scenes or the clips of a fold have a single source.
    """
    dealt = {}
    if share:
        for role, rows in recordings[recordings["fold"].isin(folds)].groupby("role"):
            strata = _strata(rows)
            whole = {(fold, ""): set(of_fold["group"]) for fold, of_fold in rows.groupby("fold")}
            if role == "scene":
                strata = _without_single_groups(strata)
            deal_parts(strata, share, seed, f"{role}s", dealt=dealt)
            if role == "event":
                _check_parts(strata, dealt, "recordings of {}")
            else:
                _check_parts(whole, dealt, f"{role}s")
    part = recordings["group"].map(dealt).fillna(TRAIN)
    return part.where(recordings["fold"].isin(folds), TRAIN)


def deal(recordings, split, *, folds, held_out, seed):
    """Assign every recording to a fold and a part.

    Parameters
    ----------
    recordings : pd.DataFrame
    split : dict
        The config's section ``split``.
    folds, held_out : sequence of int
        All folds, and those that are scored.
    seed : int

    Returns
    -------
    recordings : pd.DataFrame
        With ``fold`` (`deal_folds`) and ``part`` (`deal_validation`) set.
    """
    dealt = recordings.assign(fold=deal_folds(recordings, split, seed))
    trained_on = [fold for fold in folds if set(held_out) - {fold}]
    return dealt.assign(part=deal_validation(dealt, split["validation"], trained_on, seed))


def corpus_tables(recordings):
    """Split prepared recordings into the tables that the next stages read.

    Parameters
    ----------
    recordings : pd.DataFrame
        With ``start_s``, ``stop_s``, ``fold`` and ``part`` (`deal_validation`) set.

    Returns
    -------
    tables : dict of str to pd.DataFrame
        ``events``, ``scenes`` and ``attribution``.
    """
    events = recordings[recordings["role"] == "event"]
    scenes = recordings[recordings["role"] == "scene"].rename(columns={"label": "scene"})
    scenes = scenes.assign(duration_s=scenes["stop_s"] - scenes["start_s"])
    attribution = recordings.drop_duplicates("path")[["path", "author", "licence", "source"]]
    return {"events": events, "scenes": scenes, "attribution": attribution}


def clip_tables(recordings, data_root):
    """Do the same as `corpus_tables`, for ready clips.

    Parameters
    ----------
    recordings : pd.DataFrame
    data_root : path-like
        Folder of ``clips.csv``.

    Returns
    -------
    tables : dict of str to pd.DataFrame
        ``clips`` and ``attribution``.
    """
    root = Path(data_root)
    names = [clip_name(path, root) for path in recordings["path"]]
    clips = recordings.rename(columns={"label": "tags"}).assign(
        clip=names,
        duration_s=recordings["stop_s"],
    )
    attribution = recordings.drop_duplicates("path")[["path", "author", "licence", "source"]]
    return {"clips": clips, "attribution": attribution}


def checked_tables(recordings, clips_root, split, *, folds, held_out, classes):
    """Make the tables of a corpus, and check that its folds allow training and scoring.

    Parameters
    ----------
    recordings : pd.DataFrame
        From `deal`.
    clips_root : path-like or None
        Folder of ``clips.csv``; None if the recordings are to be mixed.
    split : dict
        The config's section ``split``.
    folds, held_out : sequence of int
    classes : sequence of str

    Returns
    -------
    tables : dict of str to pd.DataFrame
        From `corpus_tables` or `clip_tables`.

    Raises
    ------
    TableError
        From `tfseg.datasets.corpus_tables.check_folds` and `check_clip_folds`.
    """
    if clips_root is None:
        tables = corpus_tables(recordings)
        check_folds(tables["events"], tables["scenes"], folds, classes, split)
        return tables
    tables = clip_tables(recordings, clips_root)
    clips = tables["clips"]
    check_clip_folds(clips, folds, held_out, classes)
    trained_on = clips[clips["part"] == TRAIN]
    if len(trained_on) < len(clips):
        check_clip_folds(trained_on, folds, held_out, classes, log=lambda _: None)
    return tables
