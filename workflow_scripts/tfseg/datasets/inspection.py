"""One pass over all recordings before anything is mixed: what is really in the files."""

import concurrent.futures
from pathlib import Path

import numpy as np
import pandas as pd

from tfseg.datasets.corpus_tables import table_schema
from tfseg.errors import DamagedFileError, UnreadableSoundError
from tfseg.io.files import content_sha256
from tfseg.io.measuring import measure
from tfseg.io.sound_files import why_missing

_LABEL_TOLERANCE_S = 0.01
# What is used all the same; anything else that is wrong is an error.
_WARNINGS = {"clipped", "unfinished_header", "nearly_cancelled", "dc_offset"}
_SAID_AS = {"too_loud": "not_finite", "cancelled": "silent"}


def _problem(row, problem, severity, expected, found):
    return {
        "path": row["path"],
        "role": row["role"],
        "start_s": row["start_s"],
        "label": row["label"],
        "problem": problem,
        "severity": severity,
        "expected": expected,
        "found": found,
    }


def _unread(row, sha256=""):
    return {
        **{key: row[key] for key in ("role", "path", "start_s")},
        "sample_rate": 0,
        "channels": 0,
        "file_s": np.nan,
        "peak": np.nan,
        "sound_start_s": np.nan,
        "sound_stop_s": np.nan,
        "sha256": sha256,
    }


def check_unchanged(inspection, paths):
    """Check that recordings are what was inspected: a flipped bit in a wav shows nowhere else.

    Parameters
    ----------
    inspection : pd.DataFrame
        As ``tfseg/datasets/schemas/inspection.schema.yaml`` says.
    paths : iterable of str

    Raises
    ------
    DamagedFileError
        Naming the first file that is not.
    """
    expected = dict(zip(inspection["path"], inspection["sha256"], strict=True))
    for path in sorted(set(paths)):
        try:
            found = content_sha256(path)
        except OSError as error:
            found = error.strerror or str(error)
        if found != expected.get(path):
            raise DamagedFileError(
                f"{path}: expected the file that was inspected (sha256 {expected.get(path, 'none')[:12]}...), "
                f"found another content ({found[:40]}). Put the file back, or delete "
                "corpus/inspection.csv and run again to work with what is there."
            )


def inspect_recording(row):
    """Look at one recording.

    Parameters
    ----------
    row : dict
        A row of ``recordings.csv``.

    Returns
    -------
    facts : dict
        A row of ``inspection.csv``.
    problems : list of dict
        Rows of ``corpus_report.csv``.
    """
    path = Path(row["path"])
    try:
        if not path.is_file():
            return _unread(row), [
                _problem(row, "missing", "error", "a sound file", why_missing(path))
            ]
        if path.stat().st_size == 0:
            return _unread(row), [_problem(row, "empty", "error", "a sound file", "no bytes")]
        sha256 = content_sha256(path)
    except OSError as error:  # no permission, a disk's fault
        reason = error.strerror or str(error)
        return _unread(row), [_problem(row, "unreadable", "error", "a file to read", reason)]
    try:
        measured = measure(path, row["start_s"], row["stop_s"])
    except UnreadableSoundError as error:
        expected = "a file that libsndfile or ffmpeg reads"
        return _unread(row, sha256), [
            _problem(row, "unreadable", "error", expected, str(error.why))
        ]
    facts = _unread(row, sha256) | {
        "sample_rate": measured.sample_rate,
        "channels": measured.channels,
        "file_s": round(measured.duration_s, 6),
        "peak": round(measured.peak, 9),
    }
    if measured.sound is not None:
        first, stop = measured.sound
        facts["sound_start_s"] = round(first / measured.sample_rate, 6)
        facts["sound_stop_s"] = round(stop / measured.sample_rate, 6)
    problems = [
        _problem(
            row,
            _SAID_AS.get(fault.problem, fault.problem),
            "warning" if fault.problem in _WARNINGS else "error",
            fault.expected,
            fault.found,
        )
        for fault in measured.faults
    ]
    if row["stop_s"] > measured.duration_s + _LABEL_TOLERANCE_S and "empty" not in {
        problem["problem"] for problem in problems
    }:
        problems.append(
            _problem(
                row,
                "shorter_than_label",
                "error",
                f"{row['stop_s']:g} s, where its label ends",
                f"{measured.duration_s:.3f} s",
            )
        )
    return facts, sorted(problems, key=lambda problem: problem["severity"])  # errors first


def inspect(recordings, *, processes=1, progress=lambda items, total: items):
    """Look at every recording once.

    Parameters
    ----------
    recordings : pd.DataFrame
        As ``tfseg/datasets/schemas/recordings.schema.yaml`` says.
    processes : int
    progress : callable
        Wraps the iterable of results; is told their number by ``total``.

    Returns
    -------
    inspection, report : pd.DataFrame
        ``inspection.csv``, one row for each recording in the same order; ``corpus_report.csv``,
        one row for each problem.
    """
    rows = recordings.to_dict("records")
    if processes == 1:
        results = list(progress(map(inspect_recording, rows), total=len(rows)))
    else:
        with concurrent.futures.ProcessPoolExecutor(processes) as pool:
            found = pool.map(inspect_recording, rows, chunksize=8)
            results = list(progress(found, total=len(rows)))
    inspection = pd.DataFrame(
        [facts for facts, _ in results], columns=table_schema("inspection")["required"]
    )
    report = pd.DataFrame(
        [problem for _, problems in results for problem in problems],
        columns=table_schema("corpus_report")["required"],
    )
    return inspection, report
