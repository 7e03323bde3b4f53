"""The page and the picture of one recording. Its imports are the package's extra ``pages``."""

from urllib.parse import unquote

import numpy as np
import soundfile

from tfseg.apply.index import PAGE
from tfseg.apply.overview import draw_recording
from tfseg.io.files import write_text
from tfseg.io.measuring import average_channels
from tfseg.io.opening import open_sound
from tfseg.reporting.figures.drawing import save
from tfseg.reporting.pages.assets import Beside
from tfseg.reporting.pages.render import render
from tfseg.reporting.pages.view import Event, Lane, Sound, envelope, level_range, make_view

FILES, RECORDING = "page_files", "recording.flac"
_SECTION_S = 60.0
_WAVEFORM_COLUMNS = 400
_PICTURE_COLUMNS = 1500
_FRAMES_AT_ONCE = 4096
_LEAST_MASK = 1 / 255  # what a picture shows
_COPY_BLOCK = 1 << 18


def _copy_sound(path, copy_path, gain):
    """Copy any recording to a FLAC of 16 bit that browsers play, in at most two channels."""
    with open_sound(path) as source:
        mono = source.channels > 2
        with soundfile.SoundFile(
            str(copy_path),
            "w",
            samplerate=source.sample_rate,
            channels=1 if mono else source.channels,
            format="FLAC",
            subtype="PCM_16",
        ) as copy:
            while len(samples := source.read(_COPY_BLOCK)):
                copy.write(gain * (average_channels(samples) if mono else samples))


def _mean_columns(scores):
    """Log-mel of a whole recording in at most `_PICTURE_COLUMNS` columns, each a mean of frames."""
    n_columns = min(_PICTURE_COLUMNS, scores.n_frames)
    edges = [column * scores.n_frames // n_columns for column in range(n_columns + 1)]
    columns, first = [], 0
    while first < len(edges) - 1:
        # As many columns as fit into what is read at once, or one.
        last = first + 1
        while last < len(edges) - 1 and edges[last + 1] - edges[first] <= _FRAMES_AT_ONCE:
            last += 1
        logmel = scores.logmel(edges[first], edges[last])
        starts = np.array(edges[first:last]) - edges[first]
        lengths = np.diff(edges[first : last + 1])
        columns.append(np.add.reduceat(logmel, starts) / lengths[:, None])
        first = last
    return np.concatenate(columns)


class _Sections:
    """Stretches of a recording as views that share their sounds."""

    def __init__(self, assets, model, scores, lanes, sounds, duration_s, levels):
        self._assets, self._scores, self._lanes = assets, scores, lanes
        self._model, self._sounds = model, sounds
        self._duration_s, self._levels = duration_s, levels
        self._extremes = np.concatenate(scores.extremes)
        self._peak = float(np.abs(self._extremes).max())

    def _masks(self, first, stop):
        """Masks by label, of the classes of which a picture would show anything."""
        store, classes = self._scores.store, self._model.classes
        masks = (
            {} if store is None else {classes[k]: store.read(k, first, stop) for k in store.classes}
        )
        return {label: mask for label, mask in masks.items() if mask.max() > _LEAST_MASK}

    def view(self, first, stop):
        """View of frames ``first .. stop - 1``."""
        grid, scores = self._model.settings.grid, self._scores
        start_s = grid.time_at(first)
        # Frames leave the last samples of the recording uncovered.
        stop_s = self._duration_s if stop == scores.n_frames else grid.time_at(stop)
        return make_view(
            f"{start_s:.0f} to {stop_s:.0f} s",
            envelope(self._extremes[first:stop], self._peak, _WAVEFORM_COLUMNS),
            scores.logmel(first, stop),
            duration_s=max(stop_s - start_s, 1e-3),
            hop_s=grid.hop_s,
            mel_hz=scores.spectrograms.mel_hz,
            assets=self._assets,
            masks={self._model.system: self._masks(first, stop)},
            lanes=self._lanes,
            sounds=self._sounds,
            classes=self._model.classes,
            start_s=start_s,
            levels=self._levels,
        )


def write_page(
    folder, recording, model, scores, events, *, reference, sound_files, measured, notes
):
    """Write ``page.html`` with its files, and the picture of the whole recording.

    Parameters
    ----------
    folder : Path
        Of the recording's results.
    recording : tfseg.apply.listing.Recording
    model : tfseg.inference.model_folder.ModelFolder
    scores : tfseg.apply.scores.Scores
        Of the whole recording.
    events : list of tfseg.apply.detected_events.FoundEvent
    reference : list of (label, onset_s, offset_s) or None
        What is known to sound; shown beside what was found.
    sound_files : dict of str to str
        Path of each separated sound as seen from `folder`, by its label or name.
    measured : tfseg.io.measuring.Measured
        Of the recording.
    notes : sequence of str
        What is not as it should be with the recording.
    """
    duration_s = measured.duration_s
    assets = Beside(folder / FILES, FILES)
    (folder / FILES).mkdir()
    # Floats may go beyond full scale, and no browser plays that: copies are turned down.
    gain = np.float32(min(1 / measured.peak, 1)) if measured.peak else np.float32(1)
    _copy_sound(recording.path, folder / FILES / RECORDING, gain)
    if gain < 1:
        down_db = f"{-20 * np.log10(gain):.1f}"
        notes = [*notes, f"samples go beyond full scale: this page plays them {down_db} dB lower"]
        sound_files = _turned_down(folder, sound_files, gain)
    columns = _mean_columns(scores)
    levels = level_range(columns)
    _write_picture(folder, recording, model, scores, events, columns, levels, duration_s)
    sounds = [Sound("recording", recording.path.name, f"{FILES}/{RECORDING}")]
    sounds += [Sound("separated", name, url) for name, url in sound_files.items()]
    lanes = [Lane("found", [Event(e.label, e.onset_s, e.offset_s, e.confidence) for e in events])]
    if reference is not None:
        lanes.insert(0, Lane("true events", [Event(*event) for event in reference]))
    sections = _Sections(assets, model, scores, lanes, sounds, duration_s, levels)
    n_section = max(model.settings.grid.frame_at(_SECTION_S), 1)
    starts = list(range(0, scores.n_frames, n_section))
    if len(starts) > 1 and scores.n_frames - starts[-1] < n_section // 4:
        starts.pop()  # a short rest stands with the section before it
    stops = [*starts[1:], scores.n_frames]
    views = [sections.view(first, stop) for first, stop in zip(starts, stops, strict=True)]
    labels = [c for c in model.classes if any(event.label == c for event in events)]
    html = render(
        "recording.html",
        name=recording.path.name,
        duration_s=duration_s,
        notes=notes,
        model=model,
        events=events,
        counts=[
            {
                "label": label,
                "events": sum(event.label == label for event in events),
                "seconds": sum(e.offset_s - e.onset_s for e in events if e.label == label),
            }
            for label in labels
        ],
        labels=labels,
        views=[view.as_dict() for view in views],
    )
    write_text(folder / PAGE, html)


def _turned_down(folder, sound_files, gain):
    """Copies of separated sounds for the page alone: their paths, as those of `sound_files`."""
    copies = {}
    for number, (name, url) in enumerate(sound_files.items()):
        copies[name] = f"{FILES}/separated{number}.flac"
        _copy_sound(folder / unquote(url), folder / copies[name], gain)
    return copies


def _write_picture(folder, recording, model, scores, events, columns, levels, duration_s):
    lanes = {}
    for event in events:
        lanes.setdefault(event.label, []).append((event.onset_s, event.offset_s))
    figure = draw_recording(
        recording.path.name,
        columns,
        levels,
        scores.spectrograms.mel_hz,
        {label: lanes[label] for label in model.classes if label in lanes},
        duration_s,
    )
    save(figure, folder / "overview.png", folder / "overview.svg")
