"""DESED's tables: events with times, or the labels of whole clips."""

from tfseg.annotations.files import table
from tfseg.annotations.recording import Event, Recording
from tfseg.datasets.clips import split_tags
from tfseg.datasets.corpus_tables import read_table, table_schema
from tfseg.io.validation import savable

DECLARATION = {
    "summary": "a table with the columns filename, onset, offset and event_label, or filename and "
    "event_labels (DESED)",
    "carries": ["times", "empty"],
    "order": 2,
}
COLUMNS = table_schema("own_events")["required"]
_TAGS = table_schema("desed_tags")["required"]
_CONFIDENCE = "confidence"


def recognise(source):
    """Whether it is a table with DESED's columns."""
    return set(COLUMNS) <= source.columns or set(_TAGS) <= source.columns


def read(source):
    """Read events, or tags; a recording without events has a row without."""
    if set(COLUMNS) <= source.columns:
        return _read_events(source)
    frame = read_table(source.path, "desed_tags")
    return [
        Recording(
            row.filename,
            tags=split_tags(row.event_labels),
            times_known=False,
            where=source.at(line),
        )
        for row, line in zip(frame.itertuples(index=False), frame.attrs["lines"], strict=True)
    ]


def _read_events(source):
    frame = read_table(source.path, "own_events")
    is_predicted = _CONFIDENCE in frame.columns
    found = {}
    for row, line in zip(frame.to_dict("records"), frame.attrs["lines"], strict=True):
        recording = found.setdefault(
            row["filename"],
            Recording(row["filename"], predicted=is_predicted, where=source.at(line)),
        )
        onset, offset, label = (row[column] for column in COLUMNS[1:])
        if label:
            text = row.get(_CONFIDENCE, "")
            confidence = source.number(text, line, "a confidence") if text else None
            event = Event(float(onset), float(offset), label, confidence, where=source.at(line))
            recording.events.append(event)
        elif onset or offset:
            source.faults.append(f"{source.at(line)}: expected a label for its times, found none")
    return list(found.values())


def event_table(recordings, *, confidence=False):
    """Text of a table of events.

    Parameters
    ----------
    recordings : sequence of (str, sequence of event)
        Name of each, and its `Event` or `tfseg.apply.detected_events.FoundEvent`. One without
        events is a row of which all but the first field are empty.
    confidence : bool
        Whether there is a column for it.
    """
    rows = [[*COLUMNS, _CONFIDENCE] if confidence else COLUMNS]
    for name, events in recordings:
        found = [
            [savable(name), event.onset_s, event.offset_s, event.label]
            + ([event.confidence] if confidence else [])
            for event in events
        ]
        rows += found or [[savable(name), *[""] * (len(rows[0]) - 1)]]
    return table(rows)


def write(recordings, folder):
    """``events.tsv``."""
    return {folder / "events.tsv": event_table([(r.name, r.events) for r in recordings])}
