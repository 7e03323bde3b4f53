"""What is known to sound in a recording, whichever format said so."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Event:
    """A sound in a recording.

    Attributes
    ----------
    onset_s, offset_s : float
    label : str
    confidence : float or None
        In [0, 1], of a model.
    low_hz, high_hz : float or None
    where : str
        File and line that it comes from, for messages.
    """

    onset_s: float
    offset_s: float
    label: str
    confidence: float | None = None
    low_hz: float | None = None
    high_hz: float | None = None
    where: str = field(default="", compare=False)

    @property
    def key(self):
        """Equal for events that say the same; they are ordered by it."""
        low_hz, high_hz = (-1.0 if f is None else f for f in (self.low_hz, self.high_hz))
        return self.onset_s, self.offset_s, self.label, low_hz, high_hz


@dataclass
class Recording:
    """The labels of one recording.

    Attributes
    ----------
    name : str
        As the annotations spell it; relative to the folder of the sounds where that is known.
    events : list of Event
    tags : list of str
        Labels of sounds whose times are not known.
    times_known : bool
        Whether `events` are all that sounds. Then a recording without events is known to have none.
    fold : int or None
    group : str or None
        The same for recordings of one origin.
    predicted : bool
        Whether a model said so, and no person.
    classes : tuple of str
        Labels that could have been given, where the source says so.
    where : str
        File (and line) that names it, for messages.
    path : Path or None
        The sound, where it was looked for.
    sample_rate : int or None
        Of the sound, Hz.
    """

    name: str
    events: list = field(default_factory=list)
    tags: list = field(default_factory=list)
    times_known: bool = True
    fold: int | None = None
    group: str | None = None
    predicted: bool = False
    classes: tuple = ()
    where: str = ""
    path: Path | None = None
    sample_rate: int | None = None

    @property
    def labels(self):
        """All labels, each once."""
        return list(dict.fromkeys([*self.tags, *(event.label for event in self.events)]))
