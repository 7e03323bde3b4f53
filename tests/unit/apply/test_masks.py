"""Masks of windows on disk, read as one mask: the means that frame scores are of."""

import numpy as np
import pytest

from tfseg.apply.masks import MaskStore
from tfseg.apply.windows import OverlapAverage

N_MELS, N_WINDOW = 4, 6
STARTS = [0, 3, 6, 9, 10]
N_FRAMES = STARTS[-1] + N_WINDOW


@pytest.fixture
def filled(tmp_path):
    rng = np.random.default_rng(3)
    store, averages = MaskStore(tmp_path / "masks.part", N_MELS), {}
    for k in (0, 2):
        averages[k] = OverlapAverage((N_MELS,))
    for index, start in enumerate(STARTS):
        masks = {k: rng.random((N_WINDOW, N_MELS)) for k in (0, 2) if (index + k) % 3}
        store.add(start, N_WINDOW, masks)
        for k, average in averages.items():
            average.add(start, masks.get(k, np.zeros((N_WINDOW, N_MELS))))
    yield store, {k: average.finish() for k, average in averages.items()}
    store.close()


@pytest.mark.parametrize("first, stop", [(0, N_FRAMES), (0, 1), (4, 9), (15, 16), (7, 16)])
def test_any_stretch_reads_as_the_weighted_mean(filled, first, stop):
    store, expected = filled
    for k in (0, 2):
        read = store.read(k, first, stop)
        assert read.dtype == np.float32
        np.testing.assert_allclose(read, expected[k][first:stop], atol=1e-3)


def test_a_class_never_found_has_a_mask_of_zeros(filled):
    store, _ = filled
    assert not store.read(1, 0, N_FRAMES).any()


def test_only_what_was_found_takes_space(tmp_path):
    store = MaskStore(tmp_path / "masks.part", N_MELS)
    for start in range(0, 300, 3):
        store.add(start, N_WINDOW, {0: np.ones((N_WINDOW, N_MELS))} if start == 30 else {})
    store.close()
    assert (tmp_path / "masks.part").stat().st_size == 2 * N_WINDOW * N_MELS
