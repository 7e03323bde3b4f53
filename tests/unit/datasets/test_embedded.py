import hashlib
import itertools
from collections import Counter

import numpy as np
import pytest
import soundfile

from tfseg.datasets import embedded, scenes
from tfseg.datasets.assemble import deal_folds
from tfseg.datasets.corpus_tables import check_rows
from tfseg.datasets.instruments import INSTRUMENTS, PARTS, pitches
from tfseg.errors import DataError

RATE = embedded.SAMPLE_RATE


def _render(folder, **changes):
    settings = {
        "classes": ["Flute", "Hi-hat"],
        "part": "demo",
        "groups_per_class": 3,
        "takes_per_group": 2,
        "places_per_scene": 2,
        "takes_per_place": 2,
        "scene_duration_s": 0.4,
        "seed": 5,
    }
    return embedded.render_corpus(folder, **(settings | changes))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    return folder, _render(folder)


@pytest.fixture(scope="module")
def player():
    return embedded.Player()


# Which pitches there are


def test_there_are_at_least_ten_classes_with_names_that_a_table_accepts():
    assert len(INSTRUMENTS) >= 10
    assert all(label.replace("-", "_").isidentifier() for label in INSTRUMENTS)


@pytest.mark.parametrize("label", INSTRUMENTS)
def test_the_parts_share_no_pitch_and_have_ten_each(label):
    demo, development = (pitches(label, part) for part in PARTS)
    assert not set(demo) & set(development)
    for part in (demo, development):
        assert len(set(part)) == len(part) >= 10  # 20 recordings at two takes


def test_pitches_are_a_fresh_list_in_a_fixed_order():
    first = pitches("Flute", "demo")
    expected = list(first)
    first.clear()
    assert pitches("Flute", "demo") == expected == sorted(expected)


def test_an_unknown_part_or_class_is_refused():
    with pytest.raises(ValueError, match="not in tuple"):
        pitches("Flute", "test")
    with pytest.raises(KeyError, match="Bagpipe"):
        pitches("Bagpipe", "demo")


def test_every_pitch_sounds_and_no_two_of_a_class_sound_the_same(player):
    # With the same random choices, two takes differ only by their pitch: otherwise a group of
    # one fold (or part) would sound in another.
    silent, twins = [], []
    for label in INSTRUMENTS:
        heard = {}
        for part in PARTS:
            for pitch in pitches(label, part):
                try:
                    samples = player.take(label, pitch, np.random.default_rng(1))
                except DataError:
                    silent.append((label, pitch))
                    continue
                digest = hashlib.sha256(samples.tobytes()).digest()
                twins += [(label, heard[digest], pitch)] if digest in heard else []
                heard[digest] = pitch
    assert twins == []
    assert silent == []


# Takes


@pytest.mark.parametrize("label", INSTRUMENTS)
def test_takes_last_0_3_to_2_s_and_keep_their_level(player, label):
    rng = np.random.default_rng(2)
    every = pitches(label, "development")
    lengths = []
    for _ in range(12):
        samples = player.take(label, every[rng.integers(len(every))], rng)
        assert samples.dtype == np.float32
        assert np.isfinite(samples).all()
        assert 0.25 < np.abs(samples).max() <= 0.5
        assert abs(samples[-1]) < 1e-3  # faded out: no click at the end
        lengths.append(len(samples) / RATE)
    assert min(lengths) >= 0.3
    assert max(lengths) <= 2.0 + 1e-3


def test_a_take_follows_its_random_generator(player):
    def take(seed, pitch=(73, 60, 0.0)):
        return player.take("Flute", pitch, np.random.default_rng(seed)).tobytes()

    assert take(1) == take(1)
    assert take(1) != take(2)
    assert take(1) != take(1, (73, 62, 0.0))


@pytest.mark.parametrize("label", INSTRUMENTS)
def test_a_take_does_not_depend_on_what_was_played_before_it(player, label):
    pitch = pitches(label, "demo")[5]
    alone = embedded.Player().take(label, pitch, np.random.default_rng(3))
    rng = np.random.default_rng(4)
    for other in rng.choice(list(INSTRUMENTS), 3):  # a held note, a drum, another tuning ...
        player.take(other, pitches(other, "development")[3], rng)
        again = player.take(label, pitch, np.random.default_rng(3))
        assert again.tobytes() == alone.tobytes(), other


class _Script:
    """A random generator that gives the values of a list, and the same velocity."""

    def __init__(self, values):
        self._values = iter(values)

    def uniform(self, low, high):
        value = next(self._values)
        assert low <= value <= high
        return value

    def integers(self, low, high):
        return 100


def test_the_shortest_take_may_have_any_rhythm(player):
    # Three strokes whose ends fall between samples: their pieces, rounded, are one sample short.
    steps = [3200.4 / RATE, 3200.4 / RATE, 0.4]
    samples = player.take("Snare_drum", (0, 38, 0.0), _Script([9600.2 / RATE, *steps]))
    assert abs(len(samples) - 9600) <= 1


@pytest.mark.parametrize("struck", [True, False])
def test_pitch_of_held_notes_follows_the_key(player, struck):
    label, program, key = ("Glockenspiel", 9, 81) if struck else ("Flute", 73, 69)
    frequency = {}
    for octave in (0, 12):
        samples = player.take(label, (program, key + octave, 0.0), np.random.default_rng(1))
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
        frequency[octave] = spectrum.argmax() * RATE / len(samples)
    assert frequency[12] / frequency[0] == pytest.approx(2, rel=0.02)


def test_tuning_moves_a_drum(player):
    # Decaying noise has no pitch to measure; but a lower tuning is a slower, darker sample.
    def brightness(tuning):
        samples = player.take("Cowbell", (0, 56, tuning), np.random.default_rng(1))
        power = np.abs(np.fft.rfft(samples)) ** 2
        return (power * np.arange(len(power)) / len(samples)).sum() / power.sum()

    values = [brightness(tuning) for tuning in (-6.0, 0.0, 6.0)]
    assert values[0] < 0.9 * values[1] < 0.81 * values[2]


def test_another_sound_font_is_refused(monkeypatch):
    assert embedded.sound_font_path().name == "TimGM6mb.sf2"
    monkeypatch.setattr(embedded, "SOUND_FONT_SHA256", "0" * 64)
    with pytest.raises(DataError, match=r"TimGM6mb\.sf2: expected sha256 0000"):
        embedded.sound_font_path()


def test_a_missing_sound_font_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        DataError, match="pretty_midi, which ships the sound font, is not installed"
    ):
        embedded.sound_font_path()


# Scenes


@pytest.mark.parametrize("kind", scenes.KINDS)
def test_scenes_are_finite_and_have_their_level_and_length(kind):
    for duration_s, rate in ((1.0, 32000), (0.1, 32000), (2.0, 8000)):
        samples = scenes.synthesise(kind, (1, "demo", 0), 0, rate, duration_s)
        assert samples.dtype == np.float32
        assert samples.shape == (round(duration_s * rate),)
        assert np.isfinite(samples).all()
        assert np.abs(samples).max() == pytest.approx(0.5, abs=1e-6)
        assert samples.std() > 0.005


def test_scenes_differ_between_kinds_seeds_parts_places_and_takes():
    arguments = [
        *((kind, (1, "demo", 0), 0) for kind in scenes.KINDS),
        ("cafe", (2, "demo", 0), 0),
        ("cafe", (1, "development", 0), 0),
        ("cafe", (1, "demo", 1), 0),
        ("cafe", (1, "demo", 0), 1),
    ]
    heard = [scenes.synthesise(*each, 8000, 1.0).astype(np.float64) for each in arguments]
    for one, two in itertools.combinations(heard, 2):
        assert abs(np.corrcoef(one, two)[0, 1]) < 0.5
    for each, samples in zip(arguments, heard, strict=True):
        assert np.array_equal(scenes.synthesise(*each, 8000, 1.0), samples.astype(np.float32))


@pytest.mark.parametrize("duration_s", [0.5, 1.001, 1.005])
def test_a_decimal_length_loses_no_sample_to_rounding(duration_s):
    samples = scenes.synthesise("rain", (1, "demo", 0), 0, 32000, duration_s)
    assert len(samples) == round(duration_s * 32000)


# The corpus


def _of(recordings, role):
    return recordings[recordings["role"] == role]


def test_the_list_follows_its_schema_and_names_what_was_written(corpus):
    folder, recordings = corpus
    check_rows(recordings, "recordings", "recordings")
    assert len(_of(recordings, "event")) == 2 * 3 * 2
    assert len(_of(recordings, "scene")) == len(scenes.KINDS) * 2 * 2
    written = {str(path) for path in folder.rglob("*") if path.is_file()}
    assert set(recordings["path"]) == written
    assert set(_of(recordings, "scene")["label"]) == set(scenes.KINDS)


def test_recordings_have_their_format_and_length(corpus):
    for path in _of(corpus[1], "event")["path"]:
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.subtype) == (32000, 1, "PCM_16")
        assert 0.3 <= info.frames / 32000 <= 2.001
    for path in _of(corpus[1], "scene")["path"]:
        assert soundfile.info(path).frames == 0.4 * 32000


def test_groups_can_be_dealt_to_folds_that_hold_every_class(corpus):
    split = {"kind": "folds", "folds": 2, "by": "source"}
    recordings = corpus[1].assign(fold=deal_folds(corpus[1], split, 5))
    for role in ("event", "scene"):
        table = _of(recordings, role)
        assert (table.groupby("group")["fold"].nunique() == 1).all()
        assert (table.groupby("group").size() == 2).all()
    for label in ("Flute", "Hi-hat"):
        groups = recordings[recordings["label"] == label].groupby("group")["fold"].first()
        assert sorted(Counter(groups).values()) == [1, 2]


def _bytes(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.wav"))
    }


def test_rendering_again_gives_the_same_bytes(corpus, tmp_path):
    again = _render(tmp_path)
    assert _bytes(tmp_path) == _bytes(corpus[0])
    assert list(again["group"]) == list(corpus[1]["group"])


def test_a_recording_does_not_depend_on_the_other_classes(corpus, tmp_path):
    _render(tmp_path, classes=["Cowbell", "Hi-hat"])
    whole, other = _bytes(corpus[0]), _bytes(tmp_path)
    shared = [name for name in other if name.startswith("events/Hi-hat")]
    assert len(shared) == 6
    assert all(whole[name] == other[name] for name in shared)


def test_seeds_and_parts_differ(corpus, tmp_path):
    scenes_of = {}
    events_of = {"demo": _bytes(corpus[0])}
    for name, changes in {"seed": {"seed": 6}, "part": {"part": "development"}}.items():
        _render(tmp_path / name, **changes)
        events_of[name] = _bytes(tmp_path / name)
    for name, content in events_of.items():
        takes = {data for path, data in content.items() if path.startswith("events")}
        assert len(takes) == 12
        scenes_of[name] = {data for path, data in content.items() if path.startswith("scenes")}
        assert len(scenes_of[name]) == len(scenes.KINDS) * 4  # no two are the same
    for one, two in itertools.combinations(events_of, 2):
        assert not set(events_of[one].values()) & set(events_of[two].values())


def test_asking_for_more_groups_than_there_are_gives_all(tmp_path):
    recordings = _render(
        tmp_path,
        classes=["Cowbell"],
        groups_per_class=1000,
        takes_per_group=1,
        places_per_scene=1,
        takes_per_place=1,
        scene_duration_s=0.05,
    )
    events = _of(recordings, "event")
    assert len(events) == len(pitches("Cowbell", "demo")) == events["group"].nunique()
