"""The embedded corpus: sampled instruments from a sound font, and synthesised scenes.

Only Python packages are downloaded: the PyPI package ``pretty_midi`` contains the General MIDI
sound font TimGM6mb.sf2 (real recorded instruments), and ``tinysoundfont`` plays it. A *group* is
one pitch of one instrument (program or drum kit, key, tuning); its *takes* differ in velocity,
length and rhythm. Neighbouring pitches may share a recorded sample, so groups are independent
pitches, but not independent instruments.

The two parts, ``demo`` and ``development``, share no group and no scene place. The settings of the
miniature experiment were chosen on ``development``; the demo uses ``demo``.
"""

import hashlib
import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pandas as pd

from tfseg.datasets import scenes
from tfseg.datasets.instruments import INSTRUMENTS, pitches
from tfseg.datasets.recordings import recordings
from tfseg.errors import DataError
from tfseg.io.audio import write_wav
from tfseg.job.seeding import generator

DECLARATION = {
    "summary": "instruments of a sound font over synthesised scenes; nothing to download",
    "holds": "events",
    "renders": True,
    "settings": {
        "part": {
            "enum": ["demo", "development"],
            "default": "demo",
            "description": "The parts share no pitch and no place",
        },
        "groups_per_class": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1_000_000_000,
            "default": 20,
            "unit": "pitches",
            "description": "Pitches per class; all recordings of a pitch are in one fold",
        },
        "takes_per_group": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1_000_000_000,
            "default": 2,
            "unit": "recordings",
            "description": "Recordings of each pitch",
        },
        "places_per_scene": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1_000_000_000,
            "default": 6,
            "unit": "places",
            "description": "Places of each of the five kinds of scene",
        },
        "takes_per_place": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1_000_000_000,
            "default": 3,
            "unit": "recordings",
            "description": "Recordings of each place",
        },
    },
}
SAMPLE_RATE = 32000
SOUND_FONT_SHA256 = "82475b91a76de15cb28a104707d3247ba932e228bada3f47bba63c6b31aaf7a1"
EVENT_LICENCE = "GPL-2.0"
SCENE_LICENCE = "MIT"
_DRUM_BANK = 128
_SHORTEST_S, _LONGEST_S = 0.3, 2.0
_SILENCE = 1e-3  # of the peak (-60 dB): a decaying note ends below it


def sound_font_path():
    """Find TimGM6mb.sf2 in the installed package and verify its checksum.

    Raises
    ------
    DataError
        When the package is missing or contains another sound font.
    """
    # Only the package's folder is needed: do not import its MIDI parser.
    spec = importlib.util.find_spec("pretty_midi")
    if spec is None or spec.origin is None:
        raise DataError("the package pretty_midi, which ships the sound font, is not installed")
    path = Path(spec.origin).parent / "TimGM6mb.sf2"
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SOUND_FONT_SHA256:
        raise DataError(f"{path}: expected sha256 {SOUND_FONT_SHA256}, found {found}")
    return path


class Player:
    """Play single takes from the sound font."""

    def __init__(self):
        import tinysoundfont

        self._synth = tinysoundfont.Synth(gain=0, samplerate=SAMPLE_RATE)
        self._font = self._synth.sfload(str(sound_font_path()))

    def _samples(self, n_samples):
        if n_samples <= 0:
            return np.zeros(0, dtype=np.float32)
        stereo = np.frombuffer(bytes(self._synth.generate(n_samples)), dtype=np.float32)
        return stereo.reshape(-1, 2).mean(axis=1)

    def take(self, label, pitch, rng):
        """Play one take of a pitch.

        Parameters
        ----------
        label : str
            A key of `INSTRUMENTS`.
        pitch : (program, key, tuning)
        rng : np.random.Generator
            For velocity, length and rhythm.

        Returns
        -------
        samples : np.ndarray [shape=(n,), dtype=float32, peak at most 0.5]
            0.3 to 2 s; decay below -60 dB of the peak is cut off.
        """
        instrument = INSTRUMENTS[label]
        program, key, tuning = pitch
        length_s = rng.uniform(_SHORTEST_S, _LONGEST_S)
        strokes = [0.0]
        while instrument.struck and strokes[-1] < length_s:
            strokes.append(strokes[-1] + rng.uniform(0.09, 0.45))
        starts = strokes[:-1] or strokes
        self._synth.program_select(
            0, self._font, _DRUM_BANK if instrument.drum else 0, program, instrument.drum
        )
        self._synth.set_tuning(0, tuning)
        pieces = []
        for start_s, stop_s in itertools.pairwise([*starts, length_s]):
            n_piece = round((stop_s - start_s) * SAMPLE_RATE)
            n_held = max(round(0.8 * n_piece), 1)
            self._synth.noteon(0, key, int(rng.integers(60, 127)))
            pieces.append(self._samples(n_held))
            self._synth.noteoff(0, key)
            pieces.append(self._samples(n_piece - n_held))
        # The synthesiser is silenced, so that takes are independent.
        self._synth.sounds_off(0)
        self._samples(SAMPLE_RATE // 10)
        samples = np.concatenate(pieces)
        peak = np.abs(samples).max()
        if peak == 0:
            raise DataError(f"embedded corpus: {label} {pitch} is silent")
        sounding = np.flatnonzero(np.abs(samples) > _SILENCE * peak)
        # The sum of rounded pieces may be a sample shorter than the shortest length.
        last = min(max(sounding[-1] + 1, round(_SHORTEST_S * SAMPLE_RATE)), len(samples))
        samples = samples[:last] * np.float32(0.5 / peak)
        fade = min(round(0.01 * SAMPLE_RATE), last)
        samples[last - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
        return samples


def render_corpus(
    audio_dir,
    *,
    classes,
    part,
    groups_per_class,
    takes_per_group,
    places_per_scene,
    takes_per_place,
    scene_duration_s,
    seed,
    progress=lambda items: items,
):
    """Render the corpus and list its recordings.

    Parameters
    ----------
    audio_dir : path-like
        Folder for the wav files (32 kHz, 16 bit, mono). Existing files of the same name are
        replaced.
    classes : sequence of str
        Labels out of `INSTRUMENTS`.
    part : {"demo", "development"}
    groups_per_class, takes_per_group : int
        Pitches of a class (all if there are fewer), and recordings of each pitch.
    places_per_scene, takes_per_place : int
    scene_duration_s : float
    seed : int
    progress : callable
        Wraps the iterable of recordings, e.g. `tqdm`.

    Returns
    -------
    recordings : pd.DataFrame
        A group is a pitch of an instrument, or a place of a scene.
    """
    audio_dir = Path(audio_dir)
    player = Player()
    takes = []
    for label in classes:
        groups = pitches(label, part)
        generator(seed, "embedded", part, label).shuffle(groups)
        for pitch in sorted(groups[:groups_per_class]):
            takes += [(label, pitch, take) for take in range(takes_per_group)]
    events = []
    for label, pitch, take in progress(takes):
        name = "{}-{:+.1f}".format("-".join(map(str, pitch[:2])), pitch[2])
        samples = player.take(label, pitch, generator(seed, "take", part, label, name, take))
        path = audio_dir / "events" / label / f"{name}-{take}.wav"
        write_wav(path, samples, SAMPLE_RATE, "PCM_16")
        events.append((path, label, f"{label}/{name}"))
    backgrounds = []
    for kind in scenes.KINDS:
        for place in range(places_per_scene):
            for take in range(takes_per_place):
                samples = scenes.synthesise(
                    kind, (seed, part, place), take, SAMPLE_RATE, scene_duration_s
                )
                path = audio_dir / "scenes" / kind / f"{place:02d}-{take}.wav"
                write_wav(path, samples, SAMPLE_RATE, "PCM_16")
                backgrounds.append((path, kind, f"{kind}/{place:02d}"))
    return pd.concat(
        [
            recordings(
                "event",
                *zip(*events, strict=True),
                author="Tim Brechbill (TimGM6mb.sf2), rendered by tfseg",
                licence=EVENT_LICENCE,
                source="sound font of the PyPI package pretty_midi",
            ),
            recordings(
                "scene",
                *zip(*backgrounds, strict=True),
                author="tfseg",
                licence=SCENE_LICENCE,
                source="synthesised by tfseg.datasets.scenes",
            ),
        ],
        ignore_index=True,
    )
