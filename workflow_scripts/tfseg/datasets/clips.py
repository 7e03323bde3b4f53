"""The user's own clips: ready mixtures with weak labels."""

from pathlib import Path

from tfseg.datasets.corpus_tables import read_table
from tfseg.datasets.recordings import recordings, wanted
from tfseg.datasets.user_data import attribution, check_others, clip_name
from tfseg.errors import DataError

DECLARATION = {
    "summary": "your own clips with weak labels, without mixing",
    "holds": "clips",
    "split": "any",
    "sources": ["clips.csv"],
    "clip_list": "clips.csv",
    "clip_events": "strong.tsv",
    "takes": ["other_labels"],
    "described_in": "docs/reference/own_recordings.md",
}
_LABEL_TOLERANCE_S = 0.01


def split_tags(text):
    """Split the tags of a clip at ``;`` or ``,``; keep their order and drop repetitions."""
    names = (name.strip() for name in text.replace(",", ";").split(";"))
    return list(dict.fromkeys(name for name in names if name))


def list_recordings(data_root, *, classes, other_labels):
    """List the clips of ``clips.csv`` with their weak labels.

    Parameters
    ----------
    data_root : path-like
        Folder of ``clips.csv``, whose paths are relative to this folder or absolute.
    classes : sequence of str
    other_labels : {"error", "ignore"}
        Handling of tags that are not in `classes`.

    Returns
    -------
    recordings : pd.DataFrame
        ``part`` is the ``fold`` of ``clips.csv`` (0 if it has none).
    """
    root = Path(data_root)
    path = root / "clips.csv"
    frame = read_table(path, "own_clips")
    tags = [split_tags(text) for text in frame["tags"]]
    wanted((tag for names in tags for tag in names), classes, "corpus.classes", path)
    check_others([tag for names in tags for tag in names], classes, other_labels, path)
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
        **attribution(root, paths),
    )


def clip_events(data_root, durations_s, *, classes, other_labels):
    """Read ``strong.tsv``, the event times of some of the clips, if it exists.

    Parameters
    ----------
    data_root : path-like
    durations_s : dict of str to float
        Length of each clip, without those left out as bad audio.
    classes : sequence of str
    other_labels : {"error", "ignore"}
        Handling of labels that are not in `classes`.

    Returns
    -------
    events : dict of str to list of (label, onset_s, offset_s)
        Clips of the table only. A clip without events has a row with empty fields (DESED's
        convention); clips that are not in the table have no reference.
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
    check_others(labels, classes, other_labels, path)
    events, seen = {}, set()
    for row in rows:
        name = clip_name(row.filename, data_root)
        if name not in listed:
            raise DataError(
                f"{path}: found {row.filename!r}, expected a path of the clips.csv beside it"
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
