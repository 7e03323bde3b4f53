import numpy as np
import pytest

from tfseg.separation.competition import competing, floored, refined


@pytest.fixture
def masks():
    return np.random.default_rng(0).random((4, 9, 5)).astype(np.float32)


def test_nothing_changes_by_default(masks):
    np.testing.assert_array_equal(refined(masks, [0, 2]), masks)


@pytest.mark.parametrize("p", [0.5, 1, 3])
def test_a_share_is_that_of_the_powers(masks, p):
    expected = masks ** (p + 1) / (masks**p).sum(axis=0)
    np.testing.assert_allclose(competing(masks, p), expected, rtol=1e-5)


def test_masks_that_compete_claim_less_than_a_unit(masks):
    assert masks.sum(axis=0).max() > 1
    assert competing(masks, 1).sum(axis=0).max() <= 1 + 1e-6


def test_a_strong_competition_leaves_a_unit_to_the_largest(masks):
    found = competing(masks, 80)
    largest = masks.max(axis=0)
    winner = found.max(axis=0)
    clear = np.sort(masks, axis=0)[-2] < 0.9 * largest
    np.testing.assert_allclose(winner[clear], largest[clear], rtol=1e-3)
    assert (np.sort(found, axis=0)[-2][clear] < 1e-3).all()


def test_a_class_alone_keeps_its_mask(masks):
    np.testing.assert_allclose(refined(masks, [1], competition=2)[1], masks[1], rtol=1e-5)


def test_units_that_nobody_claims_stay_empty():
    assert (competing(np.zeros((2, 3, 4), np.float32), 2) == 0).all()


def test_who_is_not_found_takes_nothing_from_those_found(masks):
    found = refined(masks, [0, 2], competition=1)
    two = competing(masks[[0, 2]], 1)
    np.testing.assert_allclose(found[[0, 2]], two, rtol=1e-5)
    three = competing(masks[[3, 0, 2]], 1)  # separated although it is not found
    np.testing.assert_allclose(found[3], three[0], rtol=1e-5)


def test_a_missed_class_is_the_mixture_quietly(masks):
    missed = masks.copy()
    missed[2] = 1e-9 * masks[2]
    found = refined(missed, [0, 1], competition=1, floor=0.01)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[2], 0.01)
    without = refined(missed, [0, 1], competition=1)
    high = without >= 0.01
    np.testing.assert_array_equal(found[high], without[high])
    assert (found >= np.float32(0.01)).all()
    np.testing.assert_array_equal(floored(masks, 0), masks)
