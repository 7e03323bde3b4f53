"""sed_eval's lists of events, without a header: of many recordings, or a file for each."""

from tfseg.annotations.recording import Event, Recording
from tfseg.annotations.source import is_time_like

DECLARATION = {
    "summary": "file, onset, offset and label with tabs or commas between, without a header "
    "(sed_eval); or onset, offset and label with commas between",
    "carries": ["times", "empty"],
    "order": 5,
}


def recognise(source):
    """Whether a line has a file, two times and a label; or without the file, with commas."""
    # Lines of a file alone say nothing; of more than four fields, some hold decimal commas.
    first = next((fields for _, fields in source.rows if len(fields) > 1), [])
    if len(first) == 3:
        return "\t" not in source.text and all(map(is_time_like, first[:2]))
    return len(first) > 3 and all(map(is_time_like, first[1:3]))


def read(source):
    """Read events; a line of a file alone is a recording without events."""
    found = {}
    for line, fields in source.rows:
        if len(fields) not in (1, 3, 4):
            source.faults.append(
                f"{source.at(line)}: expected file, onset, offset and label with one separator "
                f"between, found {len(fields)} fields: {' | '.join(fields)!r}"
            )
            continue
        name = source.recording if len(fields) == 3 else fields[0]
        recording = found.setdefault(name, Recording(name, where=source.at(line)))
        if len(fields) > 1:
            onset_s, offset_s = (source.number(text, line) for text in fields[-3:-1])
            if onset_s is not None and offset_s is not None:
                recording.events.append(Event(onset_s, offset_s, fields[-1], where=source.at(line)))
    return list(found.values())


def write(recordings, folder):
    """``events.txt``; a recording without events is a line with its name."""
    lines = []
    for recording in recordings:
        lines += [
            f"{recording.name}\t{event.onset_s}\t{event.offset_s}\t{event.label}\n"
            for event in recording.events
        ] or [f"{recording.name}\n"]
    return {folder / "events.txt": "".join(lines)}
