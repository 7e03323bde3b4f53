"""Audacity's label track: a text file for each recording."""

from tfseg.annotations.files import label_files
from tfseg.annotations.recording import Event, Recording
from tfseg.annotations.source import is_time_like

DECLARATION = {
    "summary": "onset, offset and label with tabs between, a file for each recording; a line of "
    "\\, low and high frequency may follow (Audacity)",
    "carries": ["times", "empty", "frequency"],
    "order": 3,
}
_FREQUENCIES = "\\"


def recognise(source):
    """Whether the first line has two times and a label, with tabs between."""
    fields = source.rows[0][1]
    return "\t" in source.text and (
        fields[0] == _FREQUENCIES or (len(fields) in (2, 3) and all(map(is_time_like, fields[:2])))
    )


def read(source):
    """Read the labels of one recording."""
    events: list[Event] = []
    for line, fields in source.rows:
        if fields[0] == _FREQUENCIES:
            _add_frequencies(source, line, fields, events)
        elif len(fields) != 3:
            source.faults.append(
                f"{source.at(line)}: expected onset, offset and label (or \\, low and high "
                f"frequency) with tabs between, found {' | '.join(fields)!r}"
            )
        else:
            onset_s, offset_s = (source.number(text, line) for text in fields[:2])
            if onset_s is not None and offset_s is not None:
                events.append(Event(onset_s, offset_s, fields[2], where=source.at(line)))
    return [Recording(source.recording, events, where=str(source.path))]


def _add_frequencies(source, line, fields, events):
    """Give the label before this line its frequencies; below zero means that it has none."""
    if not events or len(fields) != 3:
        source.faults.append(
            f"{source.at(line)}: expected \\, low and high frequency below a label, found "
            f"{' | '.join(fields)!r}"
        )
        return
    low_hz, high_hz = (source.number(text, line, "a frequency in Hz") for text in fields[1:])
    if low_hz is not None and high_hz is not None and min(low_hz, high_hz) >= 0:
        event = events.pop()
        events.append(
            Event(event.onset_s, event.offset_s, event.label, None, low_hz, high_hz, event.where)
        )


def label_track(events):
    """Text of a label track; the second line of a label holds its frequencies.

    Parameters
    ----------
    events : sequence of Event or tfseg.apply.detected_events.FoundEvent
    """
    lines = []
    for event in events:
        lines.append(f"{event.onset_s:.6f}\t{event.offset_s:.6f}\t{event.label}\n")
        if event.low_hz is not None:
            lines.append(f"{_FREQUENCIES}\t{event.low_hz:.1f}\t{event.high_hz:.1f}\n")
    return "".join(lines)


def write(recordings, folder):
    """Label track of each recording, named as it."""
    paths = label_files(folder, recordings)
    return {path: label_track(r.events) for path, r in zip(paths, recordings, strict=True)}
