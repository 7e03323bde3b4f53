"""What was read, merged and left out when annotations were converted, in a few lines."""

from collections import Counter
from dataclasses import dataclass, field

from tfseg.annotations.registry import CARRIED
from tfseg.io.validation import one_line

_SHOWN = 3


@dataclass
class Report:
    """Counts of what happened, and the first names of each.

    Attributes
    ----------
    files : Counter
        Number of files read, by format.
    changes : dict of str to list of str
        Names by what was done with them.
    """

    files: Counter = field(default_factory=Counter)
    changes: dict = field(default_factory=dict)

    def note(self, what, name):
        """Note that something was done: ``merged ...``, ``left out ...``."""
        self.changes.setdefault(what, []).append(name)

    def lines(self, recordings):
        """Write the report.

        Parameters
        ----------
        recordings : sequence of Recording
            What was kept.

        Returns
        -------
        lines : list of str
        """
        files = ", ".join(f"{name}: {n}" for name, n in self.files.items())
        n_events = sum(len(recording.events) for recording in recordings)
        n_empty = sum(not recording.labels for recording in recordings)
        n_labels = len({label for recording in recordings for label in recording.labels})
        lines = [
            f"read: {sum(self.files.values())} files ({files})",
            f"kept: {len(recordings)} recordings ({n_empty} without any sound), {n_events} events, "
            f"{n_labels} labels",
        ]
        n_predicted = sum(recording.predicted for recording in recordings)
        if n_predicted:
            lines.append(f"found by a model, not by people: {n_predicted} recordings")
        for what, names in self.changes.items():
            some = list(dict.fromkeys(names))
            more = ", ..." if len(some) > _SHOWN else ""
            lines.append(f"{what}: {len(names)} ({', '.join(some[:_SHOWN])}{more})")
        return list(map(one_line, lines))


def fitted(recordings, target, report):
    """Bring recordings into what a format can carry, and note what is lost.

    Parameters
    ----------
    recordings : sequence of Recording
    target : tfseg.annotations.registry.Format
    report : Report

    Returns
    -------
    recordings : list of Recording
    """
    missing = CARRIED.keys() - target.carries
    kept = []
    for recording in recordings:
        if "tags" in missing and not recording.times_known:
            report.note(f"left out, {target.name} has no {CARRIED['tags']}", recording.name)
            continue
        if "empty" in missing and not recording.labels:
            report.note(f"left out, {target.name} has no {CARRIED['empty']}", recording.name)
            continue
        kept.append(recording)
        holds = {
            "times": recording.events,
            "frequency": any(event.low_hz is not None for event in recording.events),
            "confidence": any(event.confidence is not None for event in recording.events),
            "fold": recording.fold is not None,
            "group": recording.group is not None,
        }
        for what, there in holds.items():
            if there and what in missing:
                report.note(f"{target.name} cannot carry {CARRIED[what]}", recording.name)
    return kept
