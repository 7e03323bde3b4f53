"""The views of the audio examples, and the place of their sounds."""

from tfseg.reporting.pages.assets import Beside, Embedded, flac
from tfseg.reporting.pages.view import Event, Lane, Sound, envelope, make_view

# Largest total size of embedded sounds, in bytes before base64 (which adds a third).
EMBEDDED_SOUNDS_LIMIT = 8_000_000
_REASONS = {
    "best": "The best clip",
    "median": "The median clip",
    "worst": "The worst clip",
}


def place_sounds(audio_examples, folder, relative):
    """Choose where the sounds of all clips are stored: in the page if they are small.

    Parameters
    ----------
    audio_examples : list of tfseg.reporting.audio_examples.AudioExample
    folder, relative
        As for `tfseg.reporting.pages.assets.Beside`.

    Returns
    -------
    assets : Embedded or Beside
    """
    n_bytes = 0
    for one in audio_examples:
        tracks = [one.example.waveform, *one.references.values()]
        tracks += [track for by_label in one.separated.values() for track in by_label.values()]
        n_bytes += sum(len(flac(track, one.example.sample_rate)) for track in tracks)
    return Embedded() if n_bytes <= EMBEDDED_SOUNDS_LIMIT else Beside(folder, relative)


def _sounds(one, assets):
    """Players of a clip: the mixture, all reference tracks, and all separated tracks."""
    rate, clip = one.example.sample_rate, one.example.mixture
    kind = "Clip" if one.example.snr_db is None else "Mixture"
    sounds = [
        Sound(kind, clip, assets.sound(f"{clip}-mixture", one.example.waveform, rate)),
        *(
            Sound("True sounds", label, assets.sound(f"{clip}-{label}-reference", x, rate), label)
            for label, x in one.references.items()
        ),
    ]
    for system, by_label in one.separated.items():
        for label, x in by_label.items():
            silent = "" if one.example.target[one.example.classes.index(label)] else " (absent)"
            url = assets.sound(f"{clip}-{label}-{system}", x, rate)
            sounds.append(Sound(f"Separated by {system}", f"{label}{silent}", url, label, system))
    return sounds


def _confident(events, frames, example):
    """Detected events, with the largest frame score of an event as its confidence."""
    hop_s = example.hop_length / example.sample_rate
    made = []
    for label, onset_s, offset_s in events:
        scores = frames[example.classes.index(label)]
        part = scores[round(onset_s / hop_s) : round(offset_s / hop_s)]
        made.append(Event(label, onset_s, offset_s, float(part.max()) if len(part) else None))
    return made


def _lanes(one):
    lanes = [
        Lane(f"detected by {system}", _confident(events, one.example.frames[system], one.example))
        for system, events in one.detected.items()
    ]
    if one.true_events is not None:
        lanes.insert(0, Lane("true events", [Event(*event) for event in one.true_events]))
    return lanes


def _masks(one):
    """Masks by system and class; the ideal ratio mask first, where there is one."""
    example, masks = one.example, {}
    sounding = [label for label in one.shown if example.target[example.classes.index(label)]]
    if example.ratio_masks is not None:
        masks["ideal ratio mask"] = {
            label: example.ratio_masks[k] * example.strong[:, k, None]
            for label in sounding
            for k in [example.classes.index(label)]
        }
    for system, by_class in example.masks.items():
        masks[system] = {label: by_class[example.classes.index(label)] for label in one.shown}
    return masks


def audio_example_views(audio_examples, assets):
    """Draw every chosen clip.

    Parameters
    ----------
    audio_examples : list of tfseg.reporting.audio_examples.AudioExample
    assets : Embedded or Beside
        Place of the sounds; images are embedded in the page.

    Returns
    -------
    views : list of View
    """
    present = {label for one in audio_examples for label in one.shown}
    present |= {event[0] for one in audio_examples for es in one.detected.values() for event in es}
    views = []
    for one in audio_examples:
        example = one.example
        tagged = [label for k, label in enumerate(example.classes) if example.target[k]]
        measure = "frame" if one.by_times else "tag"
        view = make_view(
            f"{_REASONS[one.reason]}: {example.title}",
            envelope(example.waveform),
            example.logmel,
            duration_s=len(example.waveform) / example.sample_rate,
            hop_s=example.hop_length / example.sample_rate,
            mel_hz=example.mel_hz,
            assets=Embedded(),
            masks=_masks(one),
            lanes=_lanes(one),
            sounds=_sounds(one, assets),
            classes=[label for label in example.classes if label in present],
            note=f"Tags: {', '.join(tagged).replace('_', ' ')}. "
            f"Mean {measure} F1 over systems: {one.score:.3f}.",
        )
        views.append(view)
    return views
