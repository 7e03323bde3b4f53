"""What was found in many recordings: tables over all of them, made in one pass."""

import pandas as pd

from tfseg.apply.events_table import EVENTS_TABLE, events_table
from tfseg.apply.index import write_index
from tfseg.errors import DataError
from tfseg.io.files import write_csv
from tfseg.io.validation import savable

ALL = "(all)"  # no recording is called so
RECORDING_COLUMNS = ["recording", "path", "status", "duration_s", "events", "reason"]
SUMMARY_COLUMNS = ["recording", "label", "events", "minutes", "events_per_hour"]
DONE, WARNED, FAILED = "done", "done with warnings", "failed"


class Summary:
    """Numbers of each recording; their events are counted and not kept.

    Parameters
    ----------
    classes : sequence of str
    failures : dict of (str, str) to str
        Reason by name and path of each recording that could not be analysed.
    """

    def __init__(self, classes, failures):
        self._classes = classes
        self._recordings: list[tuple] = [
            (name, savable(path), FAILED, None, None, savable(why))
            for (name, path), why in failures.items()
        ]
        self._by_class: list[tuple] = []
        self._all = {label: [0, 0.0] for label in classes}
        self._hours = 0.0

    def add(self, analysis):
        """Count what was found in a recording (`tfseg.apply.results.Analysis`)."""
        self._recordings.append(
            (
                analysis.name,
                savable(analysis.path),
                WARNED if analysis.notes else DONE,
                round(analysis.duration_s, 3 if analysis.duration_s >= 1 else 6),
                len(analysis.events),
                savable("; ".join(analysis.notes)),
            )
        )
        hours = analysis.duration_s / 3600
        self._hours += hours
        lengths_s = {label: [] for label in self._classes}
        for event in analysis.events:
            lengths_s[event.label].append(event.offset_s - event.onset_s)
        for label, lengths in lengths_s.items():
            if lengths:
                self._by_class.append(_row(analysis.name, label, len(lengths), sum(lengths), hours))
            self._all[label][0] += len(lengths)
            self._all[label][1] += sum(lengths)

    def recordings(self):
        """A row for each recording: done, done with warnings and which, or failed and why.

        Returns
        -------
        table : pd.DataFrame
            `RECORDING_COLUMNS`, by name.
        """
        table = pd.DataFrame(self._recordings, columns=RECORDING_COLUMNS)
        return table.sort_values("recording", kind="stable").astype({"events": "Int64"})

    def by_class(self):
        """Number and minutes of each class in each recording, and over all.

        Returns
        -------
        table : pd.DataFrame
            `SUMMARY_COLUMNS`. Rows of the recording `ALL` have every class; those of one recording
            the classes that were found in it. `events_per_hour` is per hour of recording.
        """
        over_all = [
            _row(ALL, label, n_events, length_s, self._hours)
            for label, (n_events, length_s) in self._all.items()
        ]
        # By name; the classes of a recording keep their order.
        rows = [*over_all, *sorted(self._by_class, key=lambda row: row[0])]
        return pd.DataFrame(rows, columns=SUMMARY_COLUMNS)


def _row(name, label, n_events, length_s, hours):
    per_hour = n_events / hours if hours else 0
    return name, label, n_events, round(length_s / 60, 4), round(per_hour, 3)


def check_folder(folder):
    """Refuse a folder that holds files of the summary's names, but not of tfseg.

    Raises
    ------
    DataError
        With the name of such a file.
    """
    table = folder / "recordings.csv"
    if table.is_file():
        with table.open(encoding="utf-8", errors="replace") as stream:
            if stream.readline().strip() == ",".join(RECORDING_COLUMNS):
                return
    for name in ("recordings.csv", "summary.csv", EVENTS_TABLE, "index.html"):
        if (folder / name).exists():
            raise DataError(
                f"{folder / name}: expected nothing there, or a file of tfseg, found another one. It "
                "is not overwritten: name another folder"
            )


def write_summary(folder, analyses, failures, model, notes=()):
    """Write ``recordings.csv``, ``summary.csv``, ``events.parquet`` and ``index.html``.

    Parameters
    ----------
    folder : Path
    analyses : iterable of tfseg.apply.results.Analysis
        Are taken one at a time.
    failures : dict of (str, str) to str
        Reason by name and path of each recording that could not be analysed.
    model : tfseg.inference.model_folder.ModelFolder
    notes : sequence of str
        Lines on what was left out, for the page.
    """
    summary = Summary(model.classes, failures)
    with events_table(folder, model) as table:
        for analysis in analyses:
            summary.add(analysis)
            table.add(analysis)
    recordings, by_class = summary.recordings(), summary.by_class()
    write_csv(folder / "recordings.csv", recordings)
    write_csv(folder / "summary.csv", by_class)
    write_index(folder, recordings, by_class, model, notes)
