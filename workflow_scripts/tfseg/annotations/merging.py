"""Labels of several files brought together: each recording once, each event once, checked."""

import math
import re
from collections import Counter
from dataclasses import replace

from tfseg.annotations.source import raise_faults
from tfseg.io.validation import is_one_line, one_line, same_form

# An event that reaches so far out of its recording is cut there, as the config's default of
# corpus.label_excess_s says; a larger excess is refused.
EXCESS_S = 0.05
_DIGITS = 6  # of a second: that times are rounded to


def merged(recordings, report):
    """Bring what several files say of a recording together.

    Parameters
    ----------
    recordings : iterable of Recording
    report : tfseg.annotations.report.Report

    Returns
    -------
    recordings : list of Recording
        Each name once, in order of their first mention.

    Raises
    ------
    TableError
        When they say different folds or groups, or a name is none.
    """
    found, faults = {}, []
    for recording in recordings:
        key = same_form(recording.name)
        if not key.strip() or not is_one_line(key):
            faults.append(f"{recording.where}: expected a recording's name, found {key!r}")
        if key not in found:
            found[key] = recording
            continue
        first = found[key]
        report.note("merged, named in several places", recording.name)
        first.events += recording.events
        first.tags += recording.tags
        first.times_known |= recording.times_known
        first.predicted &= recording.predicted
        for field in ("fold", "group"):
            known, other = getattr(first, field), getattr(recording, field)
            if None not in (known, other) and known != other:
                faults.append(
                    f"{recording.where}: {recording.name}: expected one {field}, found {other} and "
                    f"{known} ({first.where})"
                )
            setattr(first, field, other if known is None else known)
    raise_faults(faults)
    return list(found.values())


def cleaned(recordings, report, rename):
    """Spell all labels alike, and refuse those that differ in case or blanks alone.

    Parameters
    ----------
    recordings : sequence of Recording
        Changed.
    report : tfseg.annotations.report.Report
    rename : dict of str to str
        New labels by old ones.

    Raises
    ------
    TableError
        Naming a place of each spelling.
    """
    places: dict[str, dict] = {}
    faults, used = [], set()

    def spelled(label, where):
        label = same_form(label.strip())
        if label in rename:
            used.add(label)
            report.note(f"labels renamed to {rename[label]}", label)
            label = rename[label]
        if not label or not is_one_line(label):
            faults.append(f"{where}: expected a label, found {label!r}")
        alike = places.setdefault(re.sub(r"\s", "", label).casefold(), {})
        alike.setdefault(label, where)
        return label

    for recording in recordings:
        recording.tags = [spelled(label, recording.where) for label in recording.tags]
        recording.events = [
            replace(event, label=spelled(event.label, event.where)) for event in recording.events
        ]
    for alike in places.values():
        if len(alike) > 1:
            named = ", ".join(f"{label!r} ({where})" for label, where in alike.items())
            faults.append(
                "expected one spelling of a label, found some that differ in case or blanks alone: "
                f"{named}. Bring them together with --rename OLD=NEW"
            )
    unused = sorted(set(rename) - used)
    if unused:
        faults.append(f"--rename: expected a label that occurs, found {', '.join(unused)}")
    raise_faults(list(map(one_line, faults)))


def checked(recordings, report, durations_s):
    """Check the times of all events, and keep each event once.

    Parameters
    ----------
    recordings : sequence of Recording
        Changed: events are in order.
    report : tfseg.annotations.report.Report
    durations_s : dict of str to float
        Lengths of recordings, by name, where they are known.

    Raises
    ------
    TableError
        Naming the line of each event that cannot be.
    """
    faults = []
    for recording in recordings:
        duration_s = durations_s.get(recording.name, float("inf"))
        kept: dict = {}
        for event in recording.events:
            fault = _fault(event, duration_s)
            if fault:
                faults.append(f"{event.where}: {recording.name}, {event.label}: {fault}")
                continue
            within = replace(
                event,
                onset_s=round(max(event.onset_s, 0.0), _DIGITS),
                offset_s=round(min(event.offset_s, duration_s), _DIGITS),
            )
            if event.onset_s < 0 or event.offset_s > duration_s:
                report.note("cut at the ends of the recording", event.where)
            if within.key in kept:
                report.note("merged, the same event twice", event.where)
            kept.setdefault(within.key, within)
        recording.events = [kept[key] for key in sorted(kept)]
        twice = [tag for tag, n in Counter(recording.tags).items() if n > 1]
        for tag in twice:
            report.note("merged, the same tag twice", f"{recording.name}: {tag}")
        recording.tags = list(dict.fromkeys(recording.tags))
    raise_faults(list(map(one_line, faults)))


def _fault(event, duration_s):
    """Say what is wrong with the times of an event; None where nothing is."""
    numbers = event.onset_s, event.offset_s, event.confidence, event.low_hz, event.high_hz
    if not all(math.isfinite(number) for number in numbers if number is not None):
        return f"expected finite numbers, found {', '.join(map(str, numbers))}"
    if event.onset_s < -EXCESS_S:
        return f"expected an onset in the recording (at 0 s or later), found {event.onset_s:g} s"
    if event.offset_s <= max(event.onset_s, 0.0):
        return (
            f"expected an offset after the onset ({event.onset_s:g} s), found {event.offset_s:g} s"
        )
    if event.onset_s >= duration_s or event.offset_s > duration_s + EXCESS_S:
        return (
            f"expected it to end in the recording ({duration_s:.3f} s), found "
            f"{event.onset_s:g} to {event.offset_s:g} s"
        )
    bounds = event.low_hz, event.high_hz
    if None not in bounds and bounds[0] > bounds[1]:
        return f"expected the lower frequency first, found {bounds[0]:g} and {bounds[1]:g} Hz"
    return None
