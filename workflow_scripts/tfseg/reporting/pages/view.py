"""A section of a recording on a page: waveform, log-mel spectrogram, masks, events, players.

`templates/view.js` draws a `View` on any page.
"""

from dataclasses import asdict, dataclass

import numpy as np

from tfseg.reporting.pages import assets as encoding

WAVEFORM_COLUMNS = 800


@dataclass(frozen=True)
class Event:
    """An event of one class; times are in seconds from the start of the sounds."""

    label: str
    onset_s: float
    offset_s: float
    confidence: float | None = None


@dataclass(frozen=True)
class Lane:
    """Events that are shown together under the spectrogram: of the reference or of a system."""

    name: str
    events: list


@dataclass(frozen=True)
class Mask:
    """The image of a system's mask of one class."""

    system: str
    label: str
    url: str


@dataclass(frozen=True)
class Sound:
    """A player; players of the same `group` are shown together.

    `label` is None for a sound of several classes, and `system` for one that no system made.
    """

    group: str
    name: str
    url: str
    label: str | None = None
    system: str | None = None


@dataclass(frozen=True)
class View:
    """A section of a recording, with its images and sounds.

    Attributes
    ----------
    title : str
    start_s : float
        Start of this section in its sounds. Players play whole sounds.
    duration_s : float
    image_s : float
        Length that the images cover, from `start_s`: frames do not cover the last samples.
    mel_hz : list of float
        Centre frequency of each band.
    waveform : list of [lowest, highest]
        Of each column, in units of the drawing's half height.
    logmel : str
        Address of the image.
    masks : list of Mask
    lanes : list of Lane
    sounds : list of Sound
    classes : list of str
        Labels in the order of their colours; views with the same list have the same colours.
    note : str
        A sentence under the title.
    """

    title: str
    start_s: float
    duration_s: float
    image_s: float
    mel_hz: list
    waveform: list
    logmel: str
    masks: list
    lanes: list
    sounds: list
    classes: list
    note: str = ""

    def as_dict(self):
        """Return plain values, for JSON."""
        return asdict(self)


def envelope(samples, peak=None, n_columns=WAVEFORM_COLUMNS):
    """Lowest and highest sample of each column of a drawing.

    Parameters
    ----------
    samples : np.ndarray [shape=(n_samples,) or (n_frames, 2)]
        Samples, or the lowest and the highest sample of each frame.
    peak : float or None
        Value at the edge of the drawing; None takes the largest of `samples`.
    n_columns : int
        Largest number of columns.

    Returns
    -------
    columns : list of [float, float]
        In units of `peak`, within -1..1.
    """
    if len(samples) == 0:
        return []
    n_columns = min(n_columns, len(samples))
    starts = np.arange(n_columns) * len(samples) // n_columns
    lowest, highest = (samples, samples) if samples.ndim == 1 else samples.T
    columns = np.stack(
        [np.minimum.reduceat(lowest, starts), np.maximum.reduceat(highest, starts)], axis=1
    ).astype(float)
    peak = np.max(np.abs(samples)) if peak is None else peak
    return np.clip(columns / max(float(peak), 1e-9), -1, 1).round(3).tolist()


def level_range(logmel):
    """Choose the values of the darkest and the brightest colour of a log-mel spectrogram."""
    low, high = np.percentile(logmel, [2, 99.8])
    return float(low), float(high)


def make_view(
    title,
    waveform,
    logmel,
    *,
    duration_s,
    hop_s,
    mel_hz,
    assets,
    masks,
    lanes,
    sounds,
    classes,
    start_s=0.0,
    levels=None,
    note="",
):
    """Draw a section of a recording.

    Parameters
    ----------
    title : str
    waveform : list of [float, float]
        Of this section, from `envelope`. Sections of one recording should use the same `peak`.
    logmel : np.ndarray [shape=(n_frames, n_mels)]
        Of this section.
    duration_s : float
    hop_s : float
        Seconds from one frame to the next.
    mel_hz : np.ndarray [shape=(n_mels,)]
        Centre frequency of each band.
    assets : tfseg.reporting.pages.assets.Embedded or Beside
    masks : dict of str to dict of str to np.ndarray [shape=(n_frames, n_mels)]
        By system, then by label.
    lanes : list of Lane
        Events of the whole recording, or only those that overlap this section.
    sounds : list of Sound
        Made with `assets.sound`; sections of one recording share them.
    classes : list of str
        Labels in the order of their colours.
    start_s : float
        Start of this section in its sounds.
    levels : (float, float) or None
        From `level_range`; None uses this section's levels. Sections of one recording should use
        the same levels.
    note : str
        A sentence under the title.

    Returns
    -------
    view : View
    """
    low, high = levels or level_range(logmel)
    return View(
        title=title,
        start_s=float(start_s),
        duration_s=duration_s,
        image_s=len(logmel) * hop_s,
        mel_hz=[round(float(hz), 2) for hz in mel_hz],
        waveform=waveform,
        logmel=assets.image(f"{title}-logmel", encoding.logmel_png(logmel, low, high)),
        masks=[
            Mask(
                system, label, assets.image(f"{title}-{system}-{label}", encoding.mask_png(values))
            )
            for system, by_label in masks.items()
            for label, values in by_label.items()
        ],
        lanes=[
            Lane(
                lane.name,
                [
                    event
                    for event in lane.events
                    if event.offset_s > start_s and event.onset_s < start_s + duration_s
                ],
            )
            for lane in lanes
        ],
        sounds=list(sounds),
        classes=list(classes),
        note=note,
    )
