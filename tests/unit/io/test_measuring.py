"""Levels, offsets and lengths of recordings whose truth is known."""

import numpy as np
import pytest
import soundfile

from tfseg.io.measuring import OFFSET_BOUND, measure, without_offset

RATE = 8000


@pytest.fixture
def write(tmp_path):
    def write_samples(samples, rate=RATE):
        soundfile.write(tmp_path / "a.wav", samples, rate, subtype="FLOAT")
        return tmp_path / "a.wav"

    return write_samples


def _noise(n=10 * RATE, seed=0):
    return np.random.default_rng(seed).uniform(-0.25, 0.25, n)


def _problems(measured):
    return [fault.problem for fault in measured.faults]


def test_level_is_that_of_loud_stretches_not_of_one_click(write):
    samples = np.stack([_noise(800_000)] * 2, axis=1)
    samples[400_000] = 0.99
    measured = measure(write(samples))
    assert measured.level == pytest.approx(0.25, rel=0.01)
    assert measured.peak == pytest.approx(0.99)
    assert measure(write(np.zeros(100))).level == 0


@pytest.mark.parametrize("offset", [0.2, -0.5, 0.05])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_an_offset_is_no_level(write, offset, n_channels):
    samples = np.stack([_noise()] * n_channels, axis=1)
    measured = measure(write(samples + offset))
    assert measured.level == pytest.approx(measure(write(samples)).level, rel=1e-2)
    assert measured.offset == pytest.approx(offset, abs=2e-3)
    assert _problems(measured) == ["dc_offset"]


def test_a_negligible_mean_is_left_alone(write):
    samples = _noise()
    samples -= samples.mean()
    small = 0.9 * OFFSET_BOUND * samples.std()
    measured = measure(write(samples + small))
    assert measured.offset == 0
    assert measured.faults == ()
    same = (samples + small).astype(np.float32)
    assert without_offset(same, RATE) is same
    large = (samples + 1.2 * OFFSET_BOUND * samples.std()).astype(np.float32)
    assert abs(without_offset(large, RATE).mean()) < 1e-6


def test_a_short_sound_may_have_a_mean_of_its_own():
    samples = np.full(100, 0.5, dtype=np.float32)
    assert without_offset(samples, RATE) is samples


def test_digital_silence_around_a_sound_is_no_part_of_its_mean(write):
    samples = np.zeros(8 * RATE)
    samples[RATE : 2 * RATE] = _noise(RATE) + 0.2
    measured = measure(write(samples))
    assert measured.offset == pytest.approx(0.2, abs=0.01)
    assert measured.sound == (RATE, 2 * RATE)


def test_nothing_but_an_offset_is_silence(write):
    measured = measure(write(np.full(RATE, 0.3)))
    assert _problems(measured) == ["silent"]
    assert measured.sound is None


@pytest.mark.parametrize("offsets", [(0, 0), (0.1, -0.3)])
@pytest.mark.parametrize("rest, problem", [(0, "cancelled"), (0.02, "nearly_cancelled")])
def test_channels_that_cancel_each_other_are_noticed(write, offsets, rest, problem):
    one, other = _noise(), rest * _noise(seed=1)
    samples = np.stack([one + offsets[0], other - one + offsets[1]], axis=1)
    assert _problems(measure(write(samples))) == [problem]


@pytest.mark.parametrize("n_channels", [2, 6, 16])
def test_one_channel_that_sounds_is_enough(write, n_channels):
    samples = np.zeros((10 * RATE, n_channels))
    samples[:, 1] = _noise()
    assert measure(write(samples)).faults == ()
    independent = np.stack([_noise(seed=k) for k in range(n_channels)], axis=1)
    assert measure(write(independent)).faults == ()
