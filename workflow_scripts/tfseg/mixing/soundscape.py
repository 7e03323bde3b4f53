"""Long recordings made from a corpus: consecutive scenes, with events at random times.

They serve to try a model under realistic conditions: sounds at any time, in any audio format, and
with known event times.
"""

from dataclasses import dataclass

import numpy as np
import soundfile

from tfseg.io import audio
from tfseg.io.files import whole_file
from tfseg.io.measuring import without_offset
from tfseg.job.seeding import generator

_SCENE_S, _CROSS_FADE_S = 60.0, 1.0
_GAPS_S = (0.5, 6.0)
_PEAK = 0.5


@dataclass(frozen=True)
class SoundscapeSettings:
    """One long recording: keys of an entry of ``soundscapes`` in the config.

    Parameters
    ----------
    name : str
        Its file name, with the ending of a format that libsndfile can write.
    duration_s : float
    snr_db : float
        RMS of each event relative to that of the scene around it.
    sample_rate : int
        Hz.
    channels : int
        With more than one, events are panned randomly between the first two.
    """

    name: str
    duration_s: float
    snr_db: float
    sample_rate: int
    channels: int


def _rms(samples):
    return max(float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))), 1e-12)


def _background(scenes, settings, resampler, rng):
    """Scenes of unit RMS in random order, with crossfades [shape=(n_samples,)]."""
    rate = settings.sample_rate
    n_samples, n_fade = round(settings.duration_s * rate), round(_CROSS_FADE_S * rate)
    n_scene = round(_SCENE_S * rate)
    total, order = np.zeros(n_samples + n_scene + n_fade, dtype=np.float32), []
    ramp = np.sin(np.linspace(0, np.pi / 2, n_fade, endpoint=False)).astype(np.float32)
    for start in range(0, n_samples, n_scene):
        order = order or list(rng.permutation(len(scenes)))
        path = scenes["path"].iloc[order.pop()]
        part = audio.read_mono(path, rate, resampler=resampler, stop_s=_SCENE_S + _CROSS_FADE_S)
        part = without_offset(part, rate)
        part = audio.fit_length(part / np.float32(_rms(part)), n_scene + n_fade, rate).copy()
        part[-n_fade:] *= ramp[::-1]
        if start:
            part[:n_fade] *= ramp
        total[start : start + n_scene + n_fade] += part
    return total[:n_samples]


def make_soundscape(events, scenes, settings, *, max_event_s, resampler, seed):
    """Make one long recording.

    Parameters
    ----------
    events, scenes : pd.DataFrame
        Rows of the corpus tables to use.
    settings : SoundscapeSettings
    max_event_s : float
        Longer events are cut.
    resampler : str
    seed : int
        The random choices depend on it and on the recording's name.

    Returns
    -------
    samples : np.ndarray [shape=(n_samples, channels), dtype=float32]
        With a peak of 0.5.
    labels : list of (onset_s, offset_s, label)
        In order of onset.
    """
    # The word is part of the seed: changing it would change the recordings.
    rng = generator(seed, "collage", settings.name)
    rate = settings.sample_rate
    samples = np.repeat(
        _background(scenes, settings, resampler, rng)[:, None], settings.channels, 1
    )
    gain = np.float32(10 ** (settings.snr_db / 20))
    labels, order, now_s = [], [], rng.uniform(*_GAPS_S)
    while True:
        order = order or list(rng.permutation(len(events)))
        event = events.iloc[order.pop()]
        length_s = min(event["stop_s"] - event["start_s"], max_event_s)
        if now_s + length_s > settings.duration_s:
            return samples * np.float32(_PEAK / np.abs(samples).max()), labels
        sound = audio.read_mono(
            event["path"],
            rate,
            resampler=resampler,
            start_s=event["start_s"],
            stop_s=event["start_s"] + length_s,
        )
        sound = without_offset(sound, rate)
        onset = round(now_s * rate)
        sound = sound[: len(samples) - onset] * (gain / np.float32(_rms(sound)))
        angle = rng.uniform(0, np.pi / 2)
        # Constant-power panning between two channels; the model gets their mean.
        shares = [1.0] if settings.channels == 1 else [np.cos(angle), np.sin(angle)]
        for channel, share in enumerate(shares):
            samples[onset : onset + len(sound), channel] += np.float32(share) * sound
        labels.append(
            (round(onset / rate, 6), round((onset + len(sound)) / rate, 6), event["label"])
        )
        now_s += length_s + rng.uniform(*_GAPS_S)


def write_soundscape(path, samples, sample_rate):
    """Write a recording in the format that its ending names, whole or not at all."""
    with whole_file(path) as temporary_path:
        soundfile.write(temporary_path, samples, sample_rate)
