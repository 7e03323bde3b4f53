"""What was found in many recordings: tables over all of them."""

import pandas as pd

from tfseg.apply.index import write_index
from tfseg.errors import DataError
from tfseg.io.files import write_csv
from tfseg.io.validation import savable

ALL = "(all)"  # no recording is called so
RECORDING_COLUMNS = ["recording", "path", "status", "duration_s", "events", "reason"]
SUMMARY_COLUMNS = ["recording", "label", "events", "minutes", "events_per_hour"]
DONE, WARNED, FAILED = "done", "done with warnings", "failed"


def recordings_table(analyses, failures):
    """A row for each recording: done, done with warnings and which, or failed and why.

    Parameters
    ----------
    analyses : sequence of tfseg.apply.results.Analysis
    failures : dict of (str, str) to str
        Reason by name and path of each recording that could not be analysed.

    Returns
    -------
    table : pd.DataFrame
        `RECORDING_COLUMNS`, by name.
    """
    rows: list[tuple] = [
        (
            a.name,
            savable(a.path),
            WARNED if a.notes else DONE,
            round(a.duration_s, 3 if a.duration_s >= 1 else 6),
            len(a.events),
            savable("; ".join(a.notes)),
        )
        for a in analyses
    ]
    rows += [
        (name, savable(path), FAILED, None, None, savable(why))
        for (name, path), why in failures.items()
    ]
    table = pd.DataFrame(rows, columns=RECORDING_COLUMNS).sort_values("recording", kind="stable")
    return table.astype({"events": "Int64"})


def summary_table(analyses, classes):
    """Number and minutes of each class in each recording, and over all.

    Parameters
    ----------
    analyses : sequence of tfseg.apply.results.Analysis
    classes : sequence of str

    Returns
    -------
    table : pd.DataFrame
        `SUMMARY_COLUMNS`. Rows of the recording `ALL` have every class; those of one recording the
        classes that were found in it. `events_per_hour` is per hour of recording.
    """
    events = [(a.name, e.label, e.offset_s - e.onset_s) for a in analyses for e in a.events]
    hours = {a.name: a.duration_s / 3600 for a in analyses}
    total_h = sum(hours.values())
    rows = []
    for name, group in [(ALL, events), *_by_recording(events)]:
        found = classes if name == ALL else [c for c in classes if any(e[1] == c for e in group)]
        for label in found:
            lengths_s = [length_s for _, other, length_s in group if other == label]
            per_hour = len(lengths_s) / (total_h if name == ALL else hours[name]) if total_h else 0
            minutes = round(sum(lengths_s) / 60, 4)
            rows.append((name, label, len(lengths_s), minutes, round(per_hour, 3)))
    return pd.DataFrame(rows, columns=SUMMARY_COLUMNS)


def _by_recording(events):
    groups = {}
    for event in events:
        groups.setdefault(event[0], []).append(event)
    return sorted(groups.items())


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
    for name in ("recordings.csv", "summary.csv", "index.html"):
        if (folder / name).exists():
            raise DataError(
                f"{folder / name}: expected nothing there, or a file of tfseg, found another one. It "
                "is not overwritten: name another folder"
            )


def write_summary(folder, analyses, failures, model, notes=()):
    """Write ``recordings.csv``, ``summary.csv`` and ``index.html`` into a folder.

    Parameters
    ----------
    folder : Path
    analyses, failures
        As for `recordings_table`.
    model : tfseg.inference.model_folder.ModelFolder
    notes : sequence of str
        Lines on what was left out, for the page.
    """
    recordings = recordings_table(analyses, failures)
    summary = summary_table(analyses, model.classes)
    write_csv(folder / "recordings.csv", recordings)
    write_csv(folder / "summary.csv", summary)
    write_index(folder, recordings, summary, model, notes)
