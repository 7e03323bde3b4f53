"""Scenes fitted to a length, and recordings of any length read in blocks."""

import itertools

import numpy as np
import pytest
import soundfile

from tfseg.errors import DataError
from tfseg.io import audio

RATE = 32000
FADE = 1600  # 50 ms
MIRRORED = 320  # 10 ms


def _noise(n_samples, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal(n_samples).astype(dtype)


def _rms(samples):
    return np.sqrt(np.mean(np.square(samples, dtype=np.float64)))


# Scenes of a given length

LENGTHS = [1, 2, 3, 4, 5, 319, 320, 321, 1599, 1600, 1601, 3199, 3200, 3201, 20000]


@pytest.mark.parametrize("n_samples", LENGTHS)
@pytest.mark.parametrize("n_wanted", [1, 2, 3, 100, 321, 1600, 3199, 10000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_length_is_exact_and_the_type_kept(n_samples, n_wanted, dtype):
    samples = _noise(n_samples, dtype)
    before = samples.copy()
    fitted = audio.fit_length(samples, n_wanted, RATE)
    assert fitted.shape == (n_wanted,)
    assert fitted.dtype == dtype
    assert np.isfinite(fitted).all()
    np.testing.assert_array_equal(samples, before)


@pytest.mark.parametrize("n_wanted", [1, 500, 999, 1000])
def test_a_longer_scene_is_cut_at_its_end(n_wanted):
    samples = _noise(1000)
    np.testing.assert_array_equal(audio.fit_length(samples, n_wanted, RATE), samples[:n_wanted])


@pytest.mark.parametrize("n_missing", [1, 2, 100, MIRRORED])
def test_up_to_ten_milliseconds_are_mirrored(n_missing):
    samples = _noise(5000)
    fitted = audio.fit_length(samples, 5000 + n_missing, RATE)
    np.testing.assert_array_equal(fitted[:5000], samples)
    np.testing.assert_array_equal(fitted[5000:], samples[-2 : -2 - n_missing : -1])


def test_more_is_not_mirrored():
    samples = _noise(5000)
    fitted = audio.fit_length(samples, 5000 + MIRRORED + 1, RATE)
    assert not np.allclose(fitted[5000:], samples[-2 : -2 - MIRRORED - 1 : -1])
    np.testing.assert_array_equal(fitted[5000:], samples[FADE : FADE + MIRRORED + 1])


@pytest.mark.parametrize("n_wanted", [20000, 25000, 70001])
def test_a_short_scene_is_played_again_from_its_start(n_wanted):
    samples = _noise(10000)
    fitted = audio.fit_length(samples, n_wanted, RATE)
    period = 10000 - FADE
    np.testing.assert_array_equal(fitted[:period], samples[:period])
    for start in range(period, n_wanted, period):
        again = fitted[start + FADE : start + period]
        np.testing.assert_array_equal(again, samples[FADE : FADE + len(again)])


@pytest.mark.parametrize("n_samples", [2, 3, 10, 100, 3199])
def test_the_first_half_of_a_very_short_scene_is_untouched(n_samples):
    samples = _noise(n_samples)
    fitted = audio.fit_length(samples, 8000, RATE)
    untouched = n_samples - n_samples // 2
    np.testing.assert_array_equal(fitted[:untouched], samples[:untouched])


def test_a_single_sample_goes_on():
    sample = np.array([0.25], dtype=np.float32)
    np.testing.assert_array_equal(audio.fit_length(sample, 9, RATE), np.full(9, 0.25))


@pytest.mark.parametrize("share", [0.5, 0.3, 0.1])
@pytest.mark.parametrize("seed", range(3))
def test_a_short_scene_keeps_its_level(share, seed):
    samples = _noise(round(share * 5 * RATE), seed=seed)
    fitted = audio.fit_length(samples, 5 * RATE, RATE)
    assert _rms(fitted) == pytest.approx(_rms(samples), rel=0.05)


def test_the_level_is_kept_while_two_passes_fade():
    # Over many scenes: a linear fade would lose 3 dB in its middle.
    joins = []
    for seed in range(30):
        fitted = audio.fit_length(_noise(10000, seed=seed), 20000, RATE)
        joins.append(fitted[10000 - FADE : 10000])
    for piece in np.split(np.array(joins), 8, axis=1):
        assert _rms(piece) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("n_samples", [16000, 16040, 16080, 16123, 16160, 16240])
def test_no_join_clicks(n_samples):
    # Wherever in its period of 320 samples a tone of 100 Hz breaks off
    tone = np.sin(2 * np.pi * 100 * np.arange(n_samples) / RATE)
    largest = np.abs(np.diff(tone)).max()
    fitted = audio.fit_length(tone, 2 * n_samples, RATE)
    steps = np.abs(np.diff(fitted))
    fade_step = np.pi / 2 / FADE  # of the ramp itself
    for join in (n_samples - FADE, n_samples):
        assert steps[join - 2 : join + 2].max() <= largest + fade_step
    # In between, two passes in phase add up to at most the square root of two.
    assert steps.max() <= np.sqrt(2) * (largest + fade_step)


def test_a_hard_join_would_click():
    tone = np.sin(2 * np.pi * 100 * np.arange(16080) / RATE)  # breaks off at its peak
    assert np.abs(np.diff(np.tile(tone, 2))).max() > 40 * np.abs(np.diff(tone)).max()


def test_a_constant_stays_within_the_square_root_of_two():
    fitted = audio.fit_length(np.ones(5000), 50000, RATE)
    assert fitted.min() == pytest.approx(1)
    assert fitted.max() == pytest.approx(np.sqrt(2))


# Recordings in blocks


@pytest.fixture
def write(tmp_path):
    """Return a function that writes samples as 32-bit float and gives the path."""

    def write_samples(samples, rate=8000, name="a.wav", subtype="FLOAT"):
        soundfile.write(tmp_path / name, samples, rate, subtype=subtype)
        return tmp_path / name

    return write_samples


def _blocks(path, rate=8000, *, n_block=1000, n_overlap=0, n_least=1, resampler="soxr_hq"):
    return list(
        audio.read_blocks(
            path, rate, resampler=resampler, n_block=n_block, n_overlap=n_overlap, n_least=n_least
        )
    )


def _joined(blocks, n_block):
    return np.concatenate([block[:n_block] for block in blocks[:-1]] + blocks[-1:])


def _whole(path, rate=8000, resampler="soxr_hq"):
    return audio.read_mono(path, rate, resampler=resampler)


SIZES = [(100, 0), (100, 30), (100, 100), (100, 250), (1000, 1), (7000, 500)]


@pytest.mark.parametrize(("n_block", "n_overlap"), SIZES)
@pytest.mark.parametrize("n_samples", [1, 99, 100, 101, 130, 200, 1001, 5000])
def test_blocks_make_up_the_whole_recording(write, n_samples, n_block, n_overlap):
    path = write(_noise(n_samples))
    blocks = _blocks(path, n_block=n_block, n_overlap=n_overlap)
    assert all(block.dtype == np.float32 for block in blocks)
    np.testing.assert_array_equal(_joined(blocks, n_block), _whole(path))


@pytest.mark.parametrize("rate", [11025, 16000, 44100, 48000])
@pytest.mark.parametrize("resampler", ["soxr_hq", "soxr_vhq"])
@pytest.mark.parametrize(("n_samples", "n_block"), [(50, 100), (9999, 100), (20000, 4096)])
def test_blocks_are_resampled_as_the_whole_is(write, rate, resampler, n_samples, n_block):
    path = write(0.2 * _noise(n_samples), rate)
    blocks = _blocks(path, n_block=n_block, n_overlap=40, resampler=resampler)
    whole = _whole(path, resampler=resampler)
    assert len(_joined(blocks, n_block)) == len(whole)
    np.testing.assert_allclose(_joined(blocks, n_block), whole, atol=1e-4)


def test_blocks_can_be_of_a_higher_rate(write):
    path = write(0.2 * _noise(4001))
    blocks = _blocks(path, 32000, n_block=3000, n_overlap=500)
    np.testing.assert_allclose(_joined(blocks, 3000), _whole(path, 32000), atol=1e-4)


@pytest.mark.parametrize(("n_block", "n_overlap"), SIZES)
@pytest.mark.parametrize("rate", [8000, 11025])
def test_each_block_reaches_into_the_next(write, n_block, n_overlap, rate):
    blocks = _blocks(write(_noise(5000), rate), n_block=n_block, n_overlap=n_overlap)
    assert all(len(block) == n_block + n_overlap for block in blocks[:-1])
    assert len(blocks[-1]) <= n_block + n_overlap
    for block, following in itertools.pairwise(blocks):
        shared = following[:n_overlap]
        np.testing.assert_array_equal(block[n_block : n_block + len(shared)], shared)


@pytest.mark.parametrize(
    ("n_samples", "lengths"),
    [
        (79, [80]),
        (80, [80]),
        (119, [119]),
        (120, [120]),  # 20 are left, which it holds
        (179, [120]),  # 79 are left
        (180, [120, 80]),
        (220, [120, 120]),
        (280, [120, 120, 80]),
    ],
)
def test_no_block_is_shorter_than_the_least(write, n_samples, lengths):
    blocks = _blocks(write(_noise(n_samples)), n_block=100, n_overlap=20, n_least=80)
    assert [len(block) for block in blocks] == lengths


@pytest.mark.parametrize("n_samples", [1, 50, 79])
@pytest.mark.parametrize("n_block", [10, 79, 1000])
def test_a_short_recording_is_filled_up_with_zeros(write, n_samples, n_block):
    path = write(_noise(n_samples))
    blocks = _blocks(path, n_block=n_block, n_overlap=80 if n_block < 80 else 0, n_least=80)
    assert len(blocks) == 1
    np.testing.assert_array_equal(blocks[0][:n_samples], _whole(path))
    np.testing.assert_array_equal(blocks[0][n_samples:], np.zeros(80 - n_samples))
    assert blocks[0].dtype == np.float32


@pytest.mark.parametrize("rate", [8000, 16000])
def test_channels_are_averaged_in_blocks_too(write, rate):
    left, right = _noise(1000), _noise(1000, seed=1)
    path = write(np.stack([left, right], axis=1), rate)
    joined = _joined(_blocks(path, n_block=100, n_overlap=20), 100)
    np.testing.assert_allclose(joined, _whole(path), atol=1e-4)
    if rate == 8000:
        np.testing.assert_allclose(joined, (left + right) / 2, atol=1e-6)


def test_blocks_are_read_as_they_are_asked_for(write):
    samples = _noise(5000)
    samples[3000] = np.nan
    blocks = audio.read_blocks(
        write(samples), 8000, resampler="soxr_hq", n_block=1000, n_overlap=0, n_least=1
    )
    for start in (0, 1000, 2000):
        np.testing.assert_array_equal(next(blocks), samples[start : start + 1000])
    with pytest.raises(DataError, match=r"a\.wav: expected finite samples"):
        next(blocks)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("position", [0, 999, 1000, 2999])
def test_blocks_that_are_not_finite_are_refused_by_name(write, value, position):
    samples = _noise(3000)
    samples[position] = value
    with pytest.raises(DataError, match=r"a\.wav: expected finite samples, found NaN or infinity"):
        _blocks(write(samples))


@pytest.mark.parametrize("content", [None, b"", b"this is not sound" * 100])
def test_a_recording_that_cannot_be_read_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.wav: expected a sound file, found one that cannot"):
        _blocks(tmp_path / "a.wav")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(("name", "subtype"), [("a.flac", "PCM_16"), ("a.mp3", "MPEG_LAYER_III")])
def test_a_recording_that_breaks_off_is_named(write, kept, name, subtype):
    path = write(0.2 * _noise(40000), name=name, subtype=subtype)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(DataError, match=rf"{name}: "):
        _blocks(path)
