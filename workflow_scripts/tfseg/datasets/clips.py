"""The user's own clips: ready mixtures with weak labels."""

from pathlib import Path

import pandas as pd

from tfseg.datasets.corpus_tables import read_table, table_schema
from tfseg.datasets.recordings import recordings, wanted
from tfseg.datasets.user_data import (
    as_classes,
    attribution,
    check_others,
    clip_name,
    others_text,
    refused_others,
    say_unlisted,
    say_what_is_odd,
)
from tfseg.errors import DataError
from tfseg.io.sound_files import there_as

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
_STRONG = ("strong.tsv", "strong.csv")
_ROUNDING_S = 1e-6  # of the lengths of clips
_FAULTS_SHOWN = 100


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
    tags = [as_classes(split_tags(text), classes) for text in frame["tags"]]
    wanted((tag for names in tags for tag in names), classes, "corpus.classes", path)
    check_others([tag for names in tags for tag in names], classes, other_labels, path)
    paths = [there_as(root / name) for name in frame["path"]]
    say_unlisted(root, paths)
    say_what_is_odd(root, paths)
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


def clip_events(data_root, durations_s, *, classes, other_labels, label_excess_s):
    """Read ``strong.tsv`` (or ``strong.csv``), the times of events in some clips, if it is there.

    Parameters
    ----------
    data_root : path-like
    durations_s : dict of str to float
        Length of each clip, without those left out as bad audio.
    classes : sequence of str
    other_labels : {"error", "ignore"}
        What happens to labels that `classes` does not name.
    label_excess_s : float
        An event that begins at most so long before its clip, or ends so long after it, is cut
        there, and reported.

    Returns
    -------
    events : dict of str to list of (label, onset_s, offset_s)
        Only clips that the table names: one without events has a row with empty fields (DESED's
        convention); clips that it does not name have no reference.
    report : pd.DataFrame
        Events that were cut, as ``tfseg/datasets/schemas/corpus_report.schema.yaml`` says.

    Raises
    ------
    DataError
        Naming all that is wrong in the table.
    """
    path = strong_table(data_root)
    table = _Times(data_root, durations_s, classes, label_excess_s)
    if path is not None:
        table.read(path, other_labels)
    return table.events, label_report(table.cut)


def label_report(rows):
    """Make the table of labels that were cut; `rows` are dicts of its columns."""
    return pd.DataFrame(rows, columns=table_schema("corpus_report")["required"])


def strong_table(data_root):
    """Path of the times of events beside ``clips.csv``; None where there is none.

    Raises
    ------
    DataError
        When there are two.
    """
    there = [path for name in _STRONG if (path := Path(data_root) / name).exists()]
    if len(there) > 1:
        raise DataError(f"{there[0]}: expected one table of times, found also {there[1].name}")
    return there[0] if there else None


class _Times:
    """Collects the events of clips from the rows of a table, and all that is wrong with them."""

    def __init__(self, data_root, durations_s, classes, label_excess_s):
        self._root, self._durations_s = data_root, durations_s
        self._classes, self._excess_s = classes, label_excess_s
        self._faults: list[str] = []
        self.events: dict[str, list] = {}
        self.cut: list[dict] = []

    def read(self, path, other_labels):
        """Read all rows.

        Raises
        ------
        DataError
            Naming all that is wrong.
        """
        listed = read_table(Path(self._root) / "clips.csv", "own_clips")["path"]
        listed = {clip_name(name, self._root) for name in listed}
        frame = read_table(path, "own_events")
        lines = frame.attrs["lines"]
        frame["event_label"] = as_classes(frame["event_label"], self._classes)
        labels = [label for label in frame["event_label"] if label]
        if other_labels == "ignore":
            check_others(labels, self._classes, other_labels, path)
        elif others := others_text(labels, self._classes, path):
            self._faults.append(refused_others(others))
        seen: dict[tuple, int] = {}
        for row, line in zip(frame.itertuples(index=False), lines, strict=True):
            name = clip_name(row.filename, self._root)
            where = f"{path}, line {line}: {row.filename}"
            if name not in listed:
                self._faults.append(
                    f"{path}, line {line}: found {row.filename!r}, expected a path of the clips.csv "
                    "beside it"
                )
            elif name in self._durations_s:
                self._take(name, row, where, seen.setdefault(tuple(row), line), line)
        if self._faults:
            more = len(self._faults) - _FAULTS_SHOWN
            tail = [f"... and {more} more"] if more > 0 else []
            raise DataError("\n".join(self._faults[:_FAULTS_SHOWN] + tail))

    def _take(self, name, row, where, first_line, line):
        """Take a row's event, or note what is wrong with it."""
        if not row.event_label and (row.onset or row.offset):
            self._faults.append(f"{where}: expected a label for its times, found none")
            return
        if first_line != line:
            self._faults.append(
                f"{where}: expected every row once, found {row.event_label!r} on line {first_line} too"
            )
            return
        found = self.events.setdefault(name, [])
        if row.event_label not in self._classes:
            return
        onset_s, offset_s, duration_s = float(row.onset), float(row.offset), self._durations_s[name]
        where = f"{where}, {row.event_label}"
        if onset_s < -self._excess_s - _ROUNDING_S:
            self._faults.append(
                f"{where}: expected it to begin within the clip (at 0 s or later), found {onset_s} s; "
                f"an excess of up to {self._excess_s:g} s is cut (config key corpus.label_excess_s)"
            )
        elif offset_s <= max(onset_s, 0.0):
            self._faults.append(
                f"{where}: expected an offset after the onset ({onset_s} s), found {offset_s} s"
            )
        elif offset_s > duration_s + self._excess_s + _ROUNDING_S or onset_s >= duration_s:
            self._faults.append(
                f"{where}: expected it to end within the clip ({duration_s:.3f} s), found "
                f"{offset_s} s; an excess of up to {self._excess_s:g} s is cut (config key "
                "corpus.label_excess_s)"
            )
        else:
            within_s = max(onset_s, 0.0), min(offset_s, duration_s)
            found.append((row.event_label, *within_s))
            event = name, row.event_label, within_s[0]
            if onset_s < -_ROUNDING_S:
                self._report(
                    *event, "label_before_start", f"{onset_s:g} s, where its label begins", 0.0
                )
            if offset_s > duration_s + _ROUNDING_S:
                ends = f"{offset_s:g} s, where its label ends"
                self._report(*event, "shorter_than_label", ends, duration_s)

    def _report(self, name, label, onset_s, problem, expected, cut_s):
        self.cut.append(
            {
                "path": str(Path(self._root) / name),
                "role": "clip",
                "start_s": onset_s,
                "label": label,
                "problem": problem,
                "severity": "warning",
                "expected": expected,
                "found": f"{cut_s:.3f} s: the label is cut there",
            }
        )
