from collections import Counter

import numpy as np
import pytest

from tfseg.datasets.folds import deal_groups


def _random_corpus(seed):
    rng = np.random.default_rng(seed)
    groups = [f"g{i}" for i in rng.integers(0, 60, 300)]
    strata = [f"s{int(group[1:]) % 7}" for group in groups]
    return groups, strata


@pytest.mark.parametrize("n_folds", [2, 3, 4, 10])
@pytest.mark.parametrize("seed", range(3))
def test_no_group_is_in_two_folds_and_strata_are_dealt_evenly(seed, n_folds):
    groups, strata = _random_corpus(seed)
    folds = deal_groups(groups, strata, n_folds, seed)
    assert folds.dtype == np.int64
    assert set(folds) == set(range(1, n_folds + 1))
    fold_of = {}
    for group, fold in zip(groups, folds, strict=True):
        assert fold_of.setdefault(group, fold) == fold
    for stratum in set(strata):
        members = {g for g, s in zip(groups, strata, strict=True) if s == stratum}
        sizes = Counter(fold_of[group] for group in members)
        sizes = [sizes[fold] for fold in range(1, n_folds + 1)]
        assert max(sizes) - min(sizes) <= 1
    sizes = Counter(fold_of.values())
    assert max(sizes.values()) - min(sizes.values()) <= 1  # and so is the whole


def test_the_order_of_the_rows_does_not_count():
    groups, strata = _random_corpus(0)
    folds = deal_groups(groups, strata, 4, 1)
    order = np.random.default_rng(1).permutation(len(groups))
    shuffled = deal_groups([groups[i] for i in order], [strata[i] for i in order], 4, 1)
    np.testing.assert_array_equal(shuffled, folds[order])


def test_the_deal_repeats_and_depends_on_seed_and_names():
    groups, strata = _random_corpus(0)
    folds = deal_groups(groups, strata, 4, 1, "events")
    np.testing.assert_array_equal(folds, deal_groups(groups, strata, 4, 1, "events"))
    assert not np.array_equal(folds, deal_groups(groups, strata, 4, 2, "events"))
    assert not np.array_equal(folds, deal_groups(groups, strata, 4, 1, "scenes"))


def test_the_deal_is_random():
    # Over many seeds, two recordings meet in one of two folds about half of the time.
    meetings = sum(
        len(set(deal_groups(["a", "b", "c", "d"], [""] * 4, 2, seed)[:2])) == 1
        for seed in range(400)
    )
    assert 400 / 3 - 50 < meetings < 400 / 3 + 50  # of three partners, one


def test_each_recording_its_own_group_splits_file_wise():
    names = [f"{i:03d}.wav" for i in range(101)]
    sizes = Counter(deal_groups(names, [""] * 101, 4, 0))
    assert sorted(sizes.values()) == [25, 25, 25, 26]


def test_a_group_in_two_strata_is_refused():
    with pytest.raises(ValueError, match="group a is in two strata: x, y"):
        deal_groups(["a", "b", "a"], ["x", "x", "y"], 2, 0)


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="zip"):
        deal_groups(["a", "b"], ["x"], 2, 0)


def test_no_recordings_have_no_folds():
    assert deal_groups([], [], 2, 0).shape == (0,)
