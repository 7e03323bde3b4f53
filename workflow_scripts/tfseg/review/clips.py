"""Answered stretches as clips with tags, as training takes them (``corpus.kind: clips``)."""

import csv
import io
import os
from pathlib import Path

import pandas as pd

from tfseg.datasets.clips import strong_table
from tfseg.datasets.corpus_tables import read_table
from tfseg.io.files import write_csv, write_text
from tfseg.review.answers import NO, UNSURE, YES

FILE, EVENT_TIMES, ATTRIBUTION = "clips.csv", "strong.tsv", "attribution.csv"


def labelled_clips(path):
    """Read a ``clips.csv`` whose clips are to stand beside the answered stretches.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    rows : list of dict
        ``path`` (absolute), ``tags``, ``group``, and ``fold`` where the table has it.
    """
    path = Path(path)
    frame = read_table(path, "own_clips")
    root = Path(os.path.abspath(path.parent))
    rows = []
    for row in frame.to_dict("records"):
        place = str(root / row["path"])
        rows.append({"path": place, "tags": row["tags"], "group": row.get("group", place)})
        if "fold" in row:
            rows[-1]["fold"] = int(row["fold"])
    return rows


def _tags(stretch, given):
    """Tags of a stretch; None where a class was not answered, or not with yes or no."""
    answers = {label: given.get((stretch["number"], label)) for label in stretch["classes"]}
    if not set(answers.values()) <= {YES, NO}:
        return None
    return [label for label, answer in answers.items() if answer == YES]


def count(stretches, given):
    """How many stretches are answered, and what becomes of them.

    Parameters
    ----------
    stretches : list of dict
        Of the review.
    given : dict
        `tfseg.review.answers.Answers.given`.

    Returns
    -------
    counts : dict of str to int
        ``stretches``, ``clips`` (answered by yes and no alone), ``unsure`` (left out), ``open``.
    """
    counts = {"stretches": len(stretches), "clips": 0, "unsure": 0, "open": 0}
    for stretch in stretches:
        answers = [given.get((stretch["number"], label)) for label in stretch["classes"]]
        kind = "open" if None in answers else "unsure" if UNSURE in answers else "clips"
        counts[kind] += 1
    return counts


def clip_rows(stretches, given, labelled=()):
    """Make the rows of ``clips.csv``.

    A stretch with a class of which nobody is sure is left out: ``clips.csv`` knows of a class only
    that it is in a clip or that it is not. The group of a stretch is its recording's, so that both
    are in one fold.

    Parameters
    ----------
    stretches : list of dict
        Of the review.
    given : dict
        `tfseg.review.answers.Answers.given`.
    labelled : sequence of dict
        From `labelled_clips`: these come first. If they have folds, a stretch has the fold of its
        group, and the last one where the group is new.

    Returns
    -------
    rows : list of dict
    """
    groups = {os.path.realpath(row["path"]): row["group"] for row in labelled}
    folds = {row["group"]: row["fold"] for row in labelled if "fold" in row}
    rows = list(labelled)
    for stretch in stretches:
        tags = _tags(stretch, given)
        if tags is None:
            continue
        place = os.path.realpath(stretch["path"])
        row = {
            "path": stretch["clip"],
            "tags": ";".join(tags),
            "group": groups.get(place, place),
        }
        if folds:
            row["fold"] = folds.get(row["group"], max(folds.values()))
        rows.append(row)
    return rows


def write_clips(path, rows):
    """Write ``clips.csv``, whole or not at all."""
    columns = ["path", "tags", "group"] + (["fold"] if any("fold" in row for row in rows) else [])
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_tables_beside(folder, labelled_path, stretches):
    """Write what is known of labelled clips beside the ``clips.csv`` of a review, which names them.

    Event times (``strong.tsv``) and attribution, where there are any, with absolute paths. A stretch
    of a labelled clip has the clip's author, licence and source.

    Parameters
    ----------
    folder : Path
        Of the review.
    labelled_path : path-like
        The labelled clips' ``clips.csv``.
    stretches : list of dict
        Of the review.
    """
    root = Path(os.path.abspath(labelled_path)).parent
    table = strong_table(root)
    if table is not None:
        frame = read_table(table, "own_events")
        names = [str(root / name) for name in frame["filename"]]
        write_csv(folder / EVENT_TIMES, frame.assign(filename=names), separator="\t")
    table = root / ATTRIBUTION
    if table.is_file():
        frame = read_table(table, "attribution")
        frame = frame.assign(path=[str(root / path) for path in frame["path"]])
        clips = [(os.path.realpath(stretch["path"]), stretch["clip"]) for stretch in stretches]
        places = frame["path"].map(os.path.realpath)
        of_stretches = [frame[places == place].assign(path=clip) for place, clip in clips]
        write_csv(folder / ATTRIBUTION, pd.concat([frame, *of_stretches]))
