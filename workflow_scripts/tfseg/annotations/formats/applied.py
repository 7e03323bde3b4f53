"""What ``tfseg apply`` found in a recording: ``about.json`` in its folder of results."""

import csv
import itertools

from tfseg.annotations.recording import Event, Recording

DECLARATION = {
    "summary": "about.json of a recording's results (tfseg apply)",
    "carries": ["times", "empty", "frequency", "confidence"],
    "order": 9,
}
_KEYS = {"recording", "model_sha256", "recording_sha256", "events"}


def recognise(source):
    """Whether it is the ``about.json`` of an analysis."""
    return isinstance(source.value, dict) and source.value.keys() >= _KEYS


def read(source):
    """Read the events of one recording; the classes of its model are in the summary beside it."""
    about = source.value
    events = [Event(**event, where=str(source.path)) for event in about["events"]]
    return [
        Recording(
            about["recording"],
            events,
            predicted=True,
            classes=_classes(source.path.parent.parent / "summary.csv"),
            where=str(source.path),
        )
    ]


def _classes(summary):
    """Labels of the first rows, which are over all recordings; none without a summary."""
    if not summary.is_file():
        return ()
    with summary.open(encoding="utf-8", newline="") as stream:
        rows = itertools.takewhile(
            lambda row: row.get("recording") == "(all)", csv.DictReader(stream)
        )
        return tuple(row["label"] for row in rows)
