"""Windows over a recording: every frame in one, whatever is read at a time; means of overlaps."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
from loud_bands import FEATURES

from tfseg.apply.windows import (
    OverlapAverage,
    count_windows,
    cut_windows,
    read_mel,
    window_weights,
)
from tfseg.features.logmel import Spectrograms
from tfseg.io.measuring import measure

SETTINGS = replace(FEATURES, n_mels=8)


@pytest.mark.parametrize("n_block", [1, 3, 7, 10, 1000])
@pytest.mark.parametrize("n_frames", [1, 2, 9, 10, 11, 14, 15, 16, 25, 60, 61])
@pytest.mark.parametrize("n_window", [10, 7])
def test_windows_hold_the_recording_whatever_the_block(n_frames, n_window, n_block):
    frames = np.random.default_rng(n_frames).random((n_frames, 3))
    blocks = np.split(frames, range(n_block, n_frames, n_block))
    windows = list(cut_windows(blocks, n_window))
    assert len(windows) == count_windows(n_frames, n_window)
    covered = np.zeros(n_frames, dtype=int)
    for window in windows:
        part = slice(window.start, window.start + len(window.frames))
        assert len(window.frames) == min(n_window, n_frames)
        np.testing.assert_array_equal(window.frames, frames[part])
        covered[part] += 1
    assert covered.min() >= 1
    starts = [window.start for window in windows]
    assert starts == sorted(set(starts))
    assert all(start % (n_window // 2) == 0 for start in starts[:-1])
    assert starts[-1] + len(windows[-1].frames) == n_frames


def test_overlaps_are_averaged_by_their_weights():
    average = OverlapAverage((1,))
    average.add(0, np.full((4, 1), 1.0))
    average.add(2, np.full((4, 1), 4.0))
    # weights 1 2 2 1, so frames 2 and 3 are (2*1 + 1*4)/3 and (1*1 + 2*4)/3
    np.testing.assert_allclose(average.finish().ravel(), [1, 1, 2, 3, 4, 4])


def test_means_do_not_depend_on_when_they_are_taken():
    rng = np.random.default_rng(0)
    windows = [(start, rng.random((6, 2))) for start in (0, 3, 6, 9, 10)]
    whole = OverlapAverage((2,))
    bit_by_bit = OverlapAverage((2,))
    parts = []
    for start, values in windows:
        whole.add(start, values)
        parts.append(bit_by_bit.finish(start))
        bit_by_bit.add(start, values)
    parts.append(bit_by_bit.finish())
    np.testing.assert_allclose(np.concatenate(parts), whole.finish(), rtol=0, atol=1e-15)


@pytest.mark.parametrize("n_frames", [1, 2, 5, 8])
def test_weights_are_symmetric_and_never_zero(n_frames):
    weights = window_weights(n_frames)
    np.testing.assert_array_equal(weights, weights[::-1])
    assert weights.min() == 1 and weights.argmax() == (n_frames - 1) // 2


@pytest.mark.parametrize("rate", [8000, 11025, 44100])
def test_mel_of_blocks_is_the_mel_of_the_whole(tmp_path, rate):
    rng = np.random.default_rng(1)
    samples = 0.3 * rng.standard_normal((3 * rate + 17, 2))
    soundfile.write(tmp_path / "a.wav", samples, rate, subtype="FLOAT")
    spectrograms = Spectrograms(SETTINGS)
    read = {
        n: list(
            read_mel(
                tmp_path / "a.wav",
                measure(tmp_path / "a.wav"),
                spectrograms,
                resampler="soxr_hq",
                block_frames=n,
            )
        )
        for n in (5, 1000)
    }
    mel = {n: np.concatenate([m for m, _ in blocks]) for n, blocks in read.items()}
    extremes = {n: np.concatenate([e for _, e in blocks]) for n, blocks in read.items()}
    np.testing.assert_allclose(mel[5], mel[1000], atol=1e-6)
    np.testing.assert_allclose(extremes[5], extremes[1000], atol=1e-6)
    if rate == 8000:
        mono = samples.mean(axis=1).astype(np.float32)
        expected = spectrograms.mel(spectrograms.complex(mono))
        np.testing.assert_allclose(mel[5], expected, rtol=1e-4, atol=1e-6)
        frame = mono[2 * 256 : 2 * 256 + 512]
        np.testing.assert_allclose(extremes[5][2], [frame.min(), frame.max()], atol=1e-6)
