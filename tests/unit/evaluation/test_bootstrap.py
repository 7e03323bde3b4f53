import time

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from tfseg.evaluation.bootstrap import ClipAveragePrecision, ClipF1, ClipMean, draw_weights

N, K = 40, 3


@pytest.fixture
def weights():
    return draw_weights([1] * 25 + [2] * 15, 50, 7, "test")


@pytest.fixture
def data():
    """Scores with many ties; the last class is rare, so that some resamples lack it."""
    rng = np.random.default_rng(0)
    target = rng.random((N, K)) < [0.5, 0.2, 0]
    target[[0, 1, 5], [0, 1, 2]] = True
    scores = np.round(np.clip(0.4 * target + rng.random((N, K)) * 0.7, 0, 1), 1)
    return scores.astype(np.float32), target


def _drawn(row):
    """The clips of a resample, one after the other."""
    return np.repeat(np.arange(N), row)


def test_every_fold_keeps_its_size_and_the_first_row_is_the_clips_as_they_are(weights):
    assert weights.shape == (51, N)
    assert (weights[0] == 1).all()
    assert (weights[:, :25].sum(axis=1) == 25).all()
    assert (weights[:, 25:].sum(axis=1) == 15).all()
    assert len(np.unique(weights[1:], axis=0)) == 50


def test_weights_depend_on_the_seed_and_its_names_alone(weights):
    folds = [1] * 25 + [2] * 15
    np.testing.assert_array_equal(draw_weights(folds, 50, 7, "test"), weights)
    assert (draw_weights(folds, 50, 8, "test") != weights).any()
    assert (draw_weights(folds, 50, 7, "other") != weights).any()


def test_average_precision_is_scikit_learns_of_the_drawn_clips(weights, data):
    scores, target = data
    found = ClipAveragePrecision(scores, target).macro(weights)
    lacking = 0
    for row, value in zip(weights, found, strict=True):
        clips = _drawn(row)
        known = [k for k in range(K) if target[clips, k].any()]
        lacking += len(known) < K
        expected = [average_precision_score(target[clips, k], scores[clips, k]) for k in known]
        assert value == pytest.approx(np.mean(expected), abs=1e-12)
    assert lacking


def test_f1_is_scikit_learns_of_the_drawn_clips(weights, data):
    scores, target = data
    above = scores > 0.5
    found = ClipF1(above, target, above & target).macro(weights)
    for row, value in zip(weights, found, strict=True):
        clips = _drawn(row)
        expected = [
            f1_score(target[clips, k], above[clips, k], zero_division=0)
            for k in range(K)
            if target[clips, k].any()
        ]
        assert value == pytest.approx(np.mean(expected), abs=1e-12)


def test_f1_of_units_adds_the_drawn_clips_counts(weights):
    rng = np.random.default_rng(1)
    predicted, reference = rng.integers(0, 9, (2, N, K))
    hit = np.minimum(predicted, reference) // 2
    found = ClipF1(predicted, reference, hit).macro(weights)
    for row, value in zip(weights, found, strict=True):
        p, r, h = (part[_drawn(row)].sum(axis=0) for part in (predicted, reference, hit))
        assert value == pytest.approx(np.mean(2 * h / (p + r)), abs=1e-12)


def test_means_are_over_the_values_of_the_drawn_clips(weights):
    rng = np.random.default_rng(2)
    count = rng.random((N, K)) < [0.9, 0.4, 0.05]
    count[0] = True
    total = np.where(count, rng.normal(size=(N, K)), 0)
    found = ClipMean(total, count).macro(weights)
    for row, value in zip(weights, found, strict=True):
        clips = _drawn(row)
        known = [k for k in range(K) if count[clips, k].any()]
        expected = np.mean([total[clips, k].sum() / count[clips, k].sum() for k in known])
        assert value == pytest.approx(expected, abs=1e-12)


def test_without_any_reference_there_is_no_value(weights):
    nothing = np.zeros((N, K))
    assert np.isnan(ClipF1(nothing + 1, nothing, nothing).macro(weights)).all()
    assert np.isnan(ClipAveragePrecision(nothing, nothing > 0).macro(weights)).all()
    assert np.isnan(ClipMean(nothing, nothing).macro(weights)).all()


def test_the_mean_of_a_bernoulli_variable_has_the_intervals_of_the_binomial():
    # 95 % of resampled means of 400 clips, half of them one, lie within 1.96 x 0.025 of a half.
    values = np.repeat([0.0, 1.0], 200)[:, None]
    samples = ClipMean(values, np.ones((400, 1))).macro(draw_weights([1] * 400, 4000, 3, "x"))
    assert samples[0] == 0.5
    low, high = np.percentile(samples[1:], [2.5, 97.5])
    assert low == pytest.approx(0.5 - 0.049, abs=0.005)
    assert high == pytest.approx(0.5 + 0.049, abs=0.005)


def test_a_full_comparison_takes_well_under_a_minute():
    # 4 systems x 3 SNRs x 3 seeds: this is one of the 36.
    rng = np.random.default_rng(0)
    weights = draw_weights([1] * 600, 1000, 1, "x")
    target = rng.random((600, 41)) < 3 / 41
    measure = ClipAveragePrecision(rng.random((600, 41)), target)
    started = time.process_time()
    measure.macro(weights)
    assert time.process_time() - started < 1
