import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score, roc_curve

from tfseg.inference.histogram import N_PATTERNS, ScoreHistogram, ScoreRanks


def _scores(rng, kind, shape):
    """Random scores of very different distributions, as float16."""
    return {
        "uniform": lambda: rng.random(shape),
        "near zero": lambda: rng.random(shape) ** 20,  # where masks live, down to subnormals
        "ties": lambda: rng.integers(0, 4, shape) / 3,
        "two values": lambda: rng.integers(0, 2, shape).astype(float),
        "constant": lambda: np.full(shape, 0.25),
        "near one": lambda: 1 - rng.random(shape) ** 12,
    }[kind]().astype(np.float16)


@pytest.mark.parametrize(
    "kind", ["uniform", "near zero", "ties", "two values", "constant", "near one"]
)
@pytest.mark.parametrize("prevalence", [0.003, 0.1, 0.9])
def test_auc_and_average_precision_are_scikit_learns(kind, prevalence):
    rng = np.random.default_rng(0)
    scores = _scores(rng, kind, (700, 3))
    positive = rng.random((700, 3)) < prevalence
    positive[:2] = [[True] * 3, [False] * 3]
    histogram = ScoreHistogram.of(scores, positive)
    exact = scores.astype(np.float64)
    for k in range(3):
        assert histogram.auc()[k] == pytest.approx(
            roc_auc_score(positive[:, k], exact[:, k]), abs=1e-12
        )
        assert histogram.average_precision()[k] == pytest.approx(
            average_precision_score(positive[:, k], exact[:, k]), abs=1e-12
        )


def test_known_answers():
    scores = np.array([[0.1], [0.4], [0.35], [0.8]], dtype=np.float16)
    positive = np.array([[False], [False], [True], [True]])
    histogram = ScoreHistogram.of(scores, positive)
    assert histogram.auc().tolist() == [0.75]
    assert histogram.average_precision() == pytest.approx([0.5 * 2 / 3 + 0.5 * 1])
    perfect = ScoreHistogram.of(scores, scores > 0.36)
    assert perfect.auc().tolist() == [1.0]
    assert perfect.average_precision().tolist() == [1.0]
    worst = ScoreHistogram.of(scores, scores < 0.36)
    assert worst.auc().tolist() == [0.0]


def test_tied_scores_count_as_half():
    scores = np.zeros((10, 1), dtype=np.float16)
    positive = np.arange(10)[:, None] < 3
    histogram = ScoreHistogram.of(scores, positive)
    assert histogram.auc().tolist() == [0.5]
    assert histogram.average_precision() == pytest.approx([0.3])


def test_all_axes_but_the_last_are_units():
    rng = np.random.default_rng(1)
    scores = _scores(rng, "uniform", (5, 6, 7, 2))
    positive = rng.random(scores.shape) < 0.3
    histogram = ScoreHistogram.of(scores, positive)
    flat = ScoreHistogram.of(scores.reshape(-1, 2), positive.reshape(-1, 2))
    np.testing.assert_array_equal(histogram.total, flat.total)
    np.testing.assert_array_equal(histogram.positive, flat.positive)
    assert histogram.total.sum(axis=1).tolist() == [210, 210]
    np.testing.assert_array_equal(histogram.n_positive, positive.sum(axis=(0, 1, 2)))


def test_strided_scores_are_those_of_their_copy():
    rng = np.random.default_rng(1)
    scores = _scores(rng, "uniform", (3, 40, 6)).transpose(0, 2, 1)[..., ::2]
    positive = rng.random(scores.shape) < 0.3
    histogram = ScoreHistogram.of(scores, positive)
    np.testing.assert_array_equal(
        histogram.positive, ScoreHistogram.of(scores.copy(), positive).positive
    )


def test_a_sum_of_histograms_is_the_histogram_of_all():
    rng = np.random.default_rng(2)
    scores = _scores(rng, "near zero", (600, 2))
    positive = rng.random(scores.shape) < 0.3
    parts = [ScoreHistogram.of(scores[i::3], positive[i::3]) for i in range(3)]
    whole = ScoreHistogram.of(scores, positive)
    added = parts[0] + parts[1] + parts[2]
    np.testing.assert_array_equal(added.total, whole.total)
    np.testing.assert_array_equal(added.positive, whole.positive)


def test_every_value_from_zero_to_one_has_a_bin_of_its_own():
    scores = np.arange(N_PATTERNS, dtype=np.uint16).view(np.float16)
    assert scores[0] == 0
    assert scores[-1] == 1
    assert (np.diff(scores.astype(np.float64)) > 0).all()
    histogram = ScoreHistogram.of(scores[:, None], np.ones((N_PATTERNS, 1), dtype=bool))
    assert (histogram.total == 1).all()


def test_minus_zero_is_zero():
    scores = np.array([[-0.0], [0.0], [1.0]], dtype=np.float16)
    histogram = ScoreHistogram.of(scores, np.array([[True], [False], [True]]))
    assert histogram.total[0, 0] == 2
    assert histogram.positive[0, 0] == 1
    assert histogram.auc().tolist() == [0.75]


@pytest.mark.parametrize("value", [-0.001, 1.001, np.nan, np.inf, -1.0])
def test_scores_outside_0_to_1_are_refused(value):
    scores = np.array([[0.5], [value]], dtype=np.float16)
    with pytest.raises(ValueError, match=r"expected scores within 0\.\.1"):
        ScoreHistogram.of(scores, np.ones((2, 1), dtype=bool))


def test_classes_without_positives_or_negatives_have_no_value():
    scores = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], dtype=np.float16)
    positive = np.array([[False, True, True], [False, True, False]])
    histogram = ScoreHistogram.of(scores, positive)
    np.testing.assert_array_equal(np.isnan(histogram.auc()), [True, True, False])
    np.testing.assert_array_equal(np.isnan(histogram.average_precision()), [True, False, False])
    assert histogram.average_precision()[1] == 1


def test_no_units_have_no_value():
    empty = ScoreHistogram.of(np.zeros((0, 2), np.float16), np.zeros((0, 2), bool))
    assert np.isnan(empty.auc()).all()
    assert np.isnan(empty.average_precision()).all()


def test_counts_beyond_32_bits_do_not_overflow():
    # A fold of the full experiment: 2000 x 311 x 64 units of a class, pooled over many.
    total = np.zeros((1, N_PATTERNS), dtype=np.int64)
    positive = total.copy()
    total[0, [0, 100]] = [10**11, 10**10]
    positive[0, [0, 100]] = [10**10, 5 * 10**9]
    histogram = ScoreHistogram(total, positive)
    # Of 1.5e10 x 9.5e10 pairs: 5e9 x 9e10 won, ties count as half.
    wins = 5e9 * 9e10 + 0.5 * (5e9 * 5e9 + 1e10 * 9e10)
    assert histogram.auc()[0] == pytest.approx(wins / (1.5e10 * 9.5e10), rel=1e-12)
    expected = (5e9 * 0.5 + 1e10 * (1.5e10 / 1.1e11)) / 1.5e10
    assert histogram.average_precision()[0] == pytest.approx(expected, rel=1e-12)


# Equal error rate


def _eer(scores, positive):
    histogram = ScoreHistogram.of(np.float16(scores)[:, None], np.array(positive, bool)[:, None])
    return histogram.equal_error_rate()[0]


def test_a_perfect_classifier_has_no_equal_error():
    assert _eer([0.1, 0.2, 0.6, 0.9], [0, 0, 1, 1]) == 0


def test_the_worst_classifier_errs_always():
    assert _eer([0.1, 0.2, 0.6, 0.9], [1, 1, 0, 0]) == 1


def test_a_constant_and_a_random_classifier_err_by_half():
    assert _eer([0.3] * 5, [0, 1, 0, 1, 1]) == 0.5
    rng = np.random.default_rng(0)
    assert _eer(rng.random(200_000), rng.random(200_000) < 0.2) == pytest.approx(0.5, abs=0.005)


def test_the_equal_error_rate_lies_on_scikit_learns_roc_curve():
    rng = np.random.default_rng(1)
    positive = rng.random(5000) < 0.3
    scores = np.clip(rng.normal(0.4 + 0.2 * positive, 0.15), 0, 1).astype(np.float16)
    alarm, hit, _ = roc_curve(positive, scores, drop_intermediate=False)
    where = np.linspace(0, 1, 200_001)
    miss = 1 - np.interp(where, alarm, hit)
    expected = where[np.argmin(np.abs(where - miss))]
    assert _eer(scores, positive) == pytest.approx(expected, abs=1e-4)


def test_without_one_kind_of_unit_there_is_no_equal_error_rate():
    assert np.isnan(_eer([0.1, 0.2], [1, 1]))
    assert np.isnan(_eer([0.1, 0.2], [0, 0]))


# F1 against the threshold


def test_f1_at_any_threshold_is_scikit_learns():
    rng = np.random.default_rng(2)
    scores = rng.random((500, 2)).astype(np.float16)
    positive = rng.random((500, 2)) < scores
    thresholds = np.array([0.0, 0.1, 0.5, 0.73, 1.0, float(scores[0, 0])])
    found = ScoreHistogram.of(scores, positive).f1(thresholds)
    for k in range(2):
        for threshold, value in zip(thresholds, found[k], strict=True):
            above = scores[:, k].astype(np.float64) > threshold
            assert value == pytest.approx(f1_score(positive[:, k], above, zero_division=0))


def test_f1_without_positives_has_no_value():
    histogram = ScoreHistogram.of(np.float16([[0.3], [0.6]]), np.zeros((2, 1), bool))
    assert np.isnan(histogram.f1(np.array([0.5]))).all()


@pytest.mark.parametrize("threshold", [0, 0.1, 0.25, 0.3331, 0.999])
def test_counts_above_a_threshold_are_those_of_compared_scores(threshold):
    rng = np.random.default_rng(5)
    scores = rng.random((400, 3)).astype(np.float16)
    scores[:50], scores[50:60] = np.float16(threshold), 0  # not above it
    positive = rng.random((400, 3)) < 0.3
    n_predicted, n_hit = ScoreHistogram.of(scores, positive).above(threshold)
    above = scores > np.float16(threshold)
    np.testing.assert_array_equal(n_predicted, above.sum(axis=0))
    np.testing.assert_array_equal(n_hit, (above & positive).sum(axis=0))


def test_scores_that_are_not_kept_count_as_zero():
    rng = np.random.default_rng(6)
    scores, positive = rng.random((300, 4)).astype(np.float16), rng.random((300, 4)) < 0.4
    kept = rng.random((300, 4)) < [0.1, 0.9, 0, 1]
    found = ScoreHistogram.of(scores, positive, kept)
    expected = ScoreHistogram.of(np.where(kept, scores, np.float16(0)), positive)
    np.testing.assert_array_equal(found.total, expected.total)
    np.testing.assert_array_equal(found.positive, expected.positive)


# Ranks


@pytest.mark.parametrize("seed", range(20))
def test_ranks_give_scikit_learns_auc_and_average_precision(seed):
    rng = np.random.default_rng(seed)
    n_units = rng.integers(2, 300)
    scores = rng.random((n_units, 5)).astype(np.float32)
    scores[:, 1] = scores[:, 1].round(1)  # ties
    scores[:, 2] = 0.5
    scores[:, 3] *= np.float32(1e-6)
    positive = rng.random((n_units, 5)) < rng.choice([0.02, 0.3, 0.9], 5)
    positive[0], positive[1] = True, False
    ranks = ScoreRanks(scores)
    for order in (np.arange(n_units), rng.permutation(n_units)):
        counts = ranks.counts(positive, order)
        np.testing.assert_array_equal(counts.n_positive, positive.sum(axis=0))
        for k in range(5):
            truth, score = positive[:, k], scores[order, k]
            assert abs(counts.auc()[k] - roc_auc_score(truth, score)) < 1e-12
            expected = average_precision_score(truth, score)
            assert abs(counts.average_precision()[k] - expected) < 1e-12


def test_ranks_of_one_kind_of_unit_have_no_auc():
    positive = np.array([[True, False]] * 3)
    counts = ScoreRanks(np.random.default_rng(0).random((3, 2))).counts(positive)
    assert np.isnan(counts.auc()).all()
    np.testing.assert_array_equal(counts.average_precision(), [1, np.nan])


def test_units_above_a_threshold_of_each_class():
    rng = np.random.default_rng(0)
    scores, positive = rng.random((50, 3)).astype(np.float16), rng.random((50, 3)) < 0.5
    thresholds = (0.2, float(scores[0, 1]), 0.9)
    n_predicted, n_hit = ScoreHistogram.of(scores, positive).above(thresholds)
    above = scores > np.array(thresholds, dtype=np.float16)
    np.testing.assert_array_equal(n_predicted, above.sum(axis=0))
    np.testing.assert_array_equal(n_hit, (above & positive).sum(axis=0))
