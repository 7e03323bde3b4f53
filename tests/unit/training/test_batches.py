"""Batches and excerpts."""

import numpy as np
import pytest

from tfseg.errors import DataError
from tfseg.training.batches import Excerpts, batch_indices


@pytest.mark.parametrize(("n_clips", "batch_size"), [(10, 4), (12, 4), (3, 8), (1, 1), (7, 1)])
def test_every_pass_covers_every_clip_once(n_clips, batch_size):
    per_pass = -(-n_clips // batch_size)
    orders = []
    for first in range(0, 5 * per_pass, per_pass):
        batches = [batch_indices(first + i, n_clips, batch_size, 1) for i in range(per_pass)]
        assert [len(batch) for batch in batches[:-1]] == [batch_size] * (per_pass - 1)
        orders.append(np.concatenate(batches).tolist())
        assert sorted(orders[-1]) == list(range(n_clips))
    if n_clips > 6:
        assert len({tuple(order) for order in orders}) == 5  # freshly shuffled


def test_batches_are_a_function_of_iteration_and_seed():
    one = [batch_indices(i, 10, 4, 1).tolist() for i in range(9)]
    assert one == [batch_indices(i, 10, 4, 1).tolist() for i in range(9)]
    assert one != [batch_indices(i, 10, 4, 2).tolist() for i in range(9)]


def test_whole_clips_come_as_they_are(toy):
    excerpts = Excerpts(toy[0], None, 3)
    clips = np.array([4, 0, 9])
    np.testing.assert_array_equal(excerpts.batch(clips, 5).numpy(), toy[0][clips])


def test_an_excerpt_is_a_stretch_of_its_clip_and_a_short_clip_goes_round():
    clips = [np.arange(n, dtype=np.float16)[:, None] + 100 * i for i, n in enumerate((40, 3, 10))]
    excerpts = Excerpts(clips, 10, 3)
    firsts = set()
    for iteration in range(200):
        long, short, equal = excerpts.batch(np.array([0, 1, 2]), iteration)[..., 0].numpy()
        assert (np.diff(long) == 1).all()
        assert long[0] >= 0
        assert long[-1] <= 39
        np.testing.assert_array_equal(short, 100 + (short[0] - 100 + np.arange(10)) % 3)
        np.testing.assert_array_equal(equal, 200 + (equal[0] - 200 + np.arange(10)) % 10)
        firsts.add(float(long[0]))
    assert firsts == set(map(float, range(31)))  # every place is reached


def test_excerpts_are_a_function_of_seed_anditeration_of():
    clips = [np.arange(n, dtype=np.float16)[:, None] for n in (40, 30)]
    one, same, other = Excerpts(clips, 10, 3), Excerpts(clips, 10, 3), Excerpts(clips, 10, 4)
    both = np.array([0, 1])
    same.batch(both, 6)
    np.testing.assert_array_equal(one.batch(both, 7), same.batch(both, 7))
    assert not all((one.batch(both, i) == other.batch(both, i)).all() for i in range(5))


def test_clips_of_different_length_need_an_excerpts_length():
    clips = [np.zeros((n, 2), dtype=np.float16) for n in (40, 30)]
    with pytest.raises(DataError, match=r"clips of 30 to 40 frames: .*training\.excerpt_s"):
        Excerpts(clips, None, 3)
