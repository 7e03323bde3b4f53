import math
import warnings

import mir_eval.separation
import numpy as np
import pytest
import scipy.signal

from tfseg.evaluation.bss_eval import BssEval, score_separation, si_sdr, snr

RATE = 16000
MEASURES = {"sdr", "sir", "sar", "si_sdr", "snr"}
SILENT = dict.fromkeys(MEASURES, -math.inf) | {"snr": pytest.approx(0, abs=1e-9)}


def _mir_eval(references, estimate):
    """SDR, SIR and SAR of `estimate` as each of the sources [shape=(n_sources, 3)]."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # deprecated without a successor
        sdr, sir, sar, _ = mir_eval.separation.bss_eval_sources(
            references, np.tile(estimate, (len(references), 1)), compute_permutation=False
        )
    return np.stack([sdr, sir, sar], axis=1)


def _mir_eval_with_taps(references, estimate, filter_length):
    """As `_mir_eval`, with another filter length, which its public functions do not take."""
    parts = [
        mir_eval.separation._bss_decomp_mtifilt(references, estimate, target, filter_length)
        for target in range(len(references))
    ]
    return np.array([mir_eval.separation._bss_source_crit(*part) for part in parts])


def _sources(kind, n_samples):
    """Two or three sources of unit RMS."""
    rng = np.random.default_rng(5)
    white = rng.standard_normal((3, n_samples))
    rumble = scipy.signal.lfilter([1], [1, -0.97], white[1])
    decay = np.exp(-4 * np.arange(n_samples) / n_samples)
    tone = np.sin(2 * np.pi * 700 / RATE * np.arange(n_samples)) * decay + 0.01 * white[2]
    burst = np.where(np.arange(n_samples) < n_samples // 3, white[0], 0)
    low_pass = scipy.signal.butter(8, 0.4, output="sos")
    # As files have them: little above the cut-off, but the rounding to 16 bit.
    sixteen_bit = np.round(scipy.signal.sosfilt(low_pass, white[:2]) * 3000) / 32768
    sources = {
        "white": white[:2],
        "three white": white,
        "event in a scene": np.stack([burst, rumble]),
        "tone, rumble and hiss": np.stack([tone, rumble, np.diff(white[0], prepend=0)]),
        "low-passed files": sixteen_bit,
    }[kind]
    return sources / np.sqrt(np.mean(np.square(sources), axis=1, keepdims=True))


def _estimate(references):
    """A filtered first source with some of the others and with artefacts."""
    rng = np.random.default_rng(6)
    filtered = scipy.signal.lfilter([1, 0.4, -0.2], [1], references[0])
    return filtered + 0.3 * references[1:].sum(axis=0) + 0.1 * rng.standard_normal(len(filtered))


def _assert_scores(references, estimate, expected, filter_length=512):
    bss_eval = BssEval(references, filter_length)
    for target, row in enumerate(expected):
        np.testing.assert_allclose(bss_eval.score(estimate, target), row, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", ["event in a scene", "low-passed files"])
def test_two_sources_score_as_in_mir_eval(kind):
    references = _sources(kind, 8000)
    estimate = _estimate(references)
    _assert_scores(references, estimate, _mir_eval(references, estimate))


def test_three_sources_score_as_in_mir_eval():
    references = _sources("tone, rumble and hiss", 5000)
    estimate = _estimate(references)
    _assert_scores(references, estimate, _mir_eval(references, estimate))


@pytest.mark.parametrize(
    "kind",
    ["white", "three white", "event in a scene", "tone, rumble and hiss", "low-passed files"],
)
@pytest.mark.parametrize(("n_samples", "filter_length"), [(300, 64), (9000, 64), (2000, 7)])
def test_other_filter_lengths_score_as_in_mir_eval(kind, n_samples, filter_length):
    references = _sources(kind, n_samples)
    estimate = _estimate(references)
    expected = _mir_eval_with_taps(references, estimate, filter_length)
    _assert_scores(references, estimate, expected, filter_length)


def test_short_signals_score_as_in_mir_eval():
    references = _sources("event in a scene", 700)
    estimate = _estimate(references)
    _assert_scores(references, estimate, _mir_eval(references, estimate))


@pytest.mark.parametrize("gain", [1e-5, 1e4])
def test_quiet_and_loud_estimates_score_as_in_mir_eval(gain):
    references = _sources("event in a scene", 4000)
    estimate = gain * _estimate(references)
    _assert_scores(references, estimate, _mir_eval_with_taps(references, estimate, 64), 64)


@pytest.mark.parametrize("gain", [1e-12, -1e-30, 1e12])
def test_scores_do_not_depend_on_an_estimates_gain(gain):
    # mir_eval's do from about 1e-8 on: it subtracts and adds the reference in between.
    references = _sources("event in a scene", 4000)
    estimate = _estimate(references)
    bss_eval = BssEval(references, 64)
    assert bss_eval.score(gain * estimate) == pytest.approx(bss_eval.score(estimate), abs=1e-9)


def test_the_estimate_of_one_source_has_no_interference():
    references = _sources("white", 3000)[:1]
    estimate = references[0] + 0.1 * np.random.default_rng(6).standard_normal(3000)
    expected = _mir_eval_with_taps(references, estimate, 64)[0]
    assert expected[1] == math.inf
    found = BssEval(references, 64).score(estimate)
    assert found[1] == math.inf
    np.testing.assert_allclose(found[::2], expected[::2], rtol=0, atol=1e-6)


def test_known_parts():
    bss_eval = BssEval(np.eye(3)[:2], filter_length=1)
    db = 10 * np.log10([16 / 5, 16 / 4, 20 / 1])
    assert bss_eval.score([4, 2, 1]) == pytest.approx(tuple(db))
    db = 10 * np.log10([4 / 17, 4 / 16, 20 / 1])
    assert bss_eval.score([4, 2, 1], target=1) == pytest.approx(tuple(db))
    assert bss_eval.score([4, 0, 0]) == (math.inf, math.inf, math.inf)
    assert bss_eval.score([0, 0, 0]) == (-math.inf, -math.inf, -math.inf)


def test_a_delay_within_the_filter_is_no_distortion():
    reference, rest = _sources("white", 4000)
    reference[-64:] = 0
    bss_eval = BssEval([reference, rest], filter_length=64)
    assert min(bss_eval.score(np.roll(reference, 63))) > 200
    assert bss_eval.score(np.roll(reference, 64))[0] < 0


@pytest.mark.parametrize("filter_length", [1, 40])
@pytest.mark.parametrize("gain", [0, 1, 2])
def test_a_source_that_depends_on_another_changes_nothing(filter_length, gain):
    # A singular Gram matrix, or one that is singular but for rounding.
    reference, other = _sources("white", 3000)
    estimate = reference + 0.3 * other
    alone = BssEval([reference], filter_length).score(estimate)
    found = BssEval([reference, gain * reference], filter_length).score(estimate)
    assert found[::2] == pytest.approx(alone[::2], abs=1e-6)
    assert found[1] > 200


def test_an_estimate_of_another_length_is_refused():
    with pytest.raises(ValueError, match="expected an estimate of 3000 samples"):
        BssEval(_sources("white", 3000), 16).score(np.ones(2999))


def test_si_sdr_by_hand():
    # The nearest multiple of the reference is (3, 0): 9 against 1.
    assert si_sdr([1, 0], [3, 1]) == pytest.approx(10 * np.log10(9))
    assert si_sdr([1, 1], [2, 0]) == pytest.approx(0)
    # Means stay: the constant part of the estimate counts as distortion.
    assert si_sdr([1, -1], [3, 1]) == pytest.approx(10 * np.log10(1 / 4))


def test_si_sdr_does_not_depend_on_gains():
    reference, noise = _sources("white", 3000)
    estimate = reference + 0.2 * noise
    expected = si_sdr(reference, estimate)
    assert 13 < expected < 15
    for gain in (-1, 1e-9, 2.7, 1e6):
        assert si_sdr(reference, gain * estimate) == pytest.approx(expected, abs=1e-9)
        assert si_sdr(gain * reference, estimate) == pytest.approx(expected, abs=1e-9)


@pytest.mark.filterwarnings("error")
def test_si_sdr_of_extremes():
    reference = _sources("white", 3000)[0]
    for gain in (1, -0.37, 1e-7, 3):
        assert si_sdr(reference, gain * reference) == math.inf
    assert si_sdr(reference, 0 * reference) == -math.inf
    assert si_sdr([1, 0], [0, 1]) == -math.inf
    assert math.isnan(si_sdr(0 * reference, reference))
    assert math.isnan(si_sdr(0 * reference, 0 * reference))


def test_snr_forgives_neither_gain_nor_filter():
    reference = np.random.default_rng(0).standard_normal(RATE)
    assert snr(reference, reference) == math.inf
    assert snr(reference, 0 * reference) == 0
    assert snr(reference, -reference) == pytest.approx(-10 * math.log10(4))
    assert snr(reference, 0.9 * reference) == pytest.approx(20)
    assert snr(reference, np.roll(reference, 1)) == pytest.approx(-3, abs=0.2)
    assert math.isnan(snr(0 * reference, reference))


@pytest.fixture(scope="module")
def one_second_in_three():
    """Event of 1 s of noise, and 3 s of other noise at the same level."""
    rng = np.random.default_rng(0)
    reference = np.zeros(3 * RATE)
    reference[RATE : 2 * RATE] = rng.standard_normal(RATE)
    return reference, rng.standard_normal(3 * RATE)


@pytest.mark.parametrize(
    ("span", "expected_db"), [(None, 10 * np.log10(1 / 3)), ((RATE, 2 * RATE), 0)]
)
def test_the_unprocessed_mixture_scores_the_ratio_of_energies(
    one_second_in_three, span, expected_db
):
    reference, rest = one_second_in_three
    mixture = reference + rest
    scores = score_separation(reference, rest, {"mixture": mixture}, span=span)["mixture"]
    assert set(scores) == MEASURES
    assert scores["sdr"] == pytest.approx(expected_db, abs=0.5)
    assert scores["si_sdr"] == pytest.approx(expected_db, abs=0.5)
    assert scores["snr"] == pytest.approx(expected_db, abs=0.5)
    assert scores["sir"] == pytest.approx(scores["sdr"], abs=0.1)
    assert scores["sar"] > 80


def test_only_the_span_counts(one_second_in_three):
    reference, rest = one_second_in_three
    span = slice(RATE, 2 * RATE)
    estimates = {"a": reference + 0.1 * rest, "b": reference + 0.5 * rest}
    scores = score_separation(
        reference, rest, estimates, span=(span.start, span.stop), filter_length=32
    )
    cut = {system: estimate[span] for system, estimate in estimates.items()}
    expected = score_separation(reference[span], rest[span], cut, filter_length=32)
    assert scores == expected
    assert list(scores) == ["a", "b"]
    assert scores["a"]["sdr"] > scores["b"]["sdr"] + 10
    bss_eval = BssEval([reference[span], rest[span]], 32)
    assert [scores["a"][name] for name in ("sdr", "sir", "sar")] == list(bss_eval.score(cut["a"]))
    assert scores["a"]["si_sdr"] == si_sdr(reference[span], cut["a"])


def test_silent_estimates_are_infinitely_bad(one_second_in_three):
    reference, rest = one_second_in_three
    noise = np.random.default_rng(1).standard_normal(len(rest))
    estimates = {"zeros": 0 * rest, "rounding": 1e-12 * noise, "quiet": 1e-6 * reference}
    scores = score_separation(reference, rest, estimates, filter_length=16)
    assert scores["zeros"] == SILENT
    assert scores["rounding"] == SILENT
    assert scores["quiet"]["sdr"] > 100
    elsewhere = np.where(reference == 0, rest, 0)
    within = score_separation(
        reference, rest, {"elsewhere": elsewhere}, span=(RATE, 2 * RATE), filter_length=16
    )
    assert within["elsewhere"] == SILENT


@pytest.mark.parametrize("level", [0, 1e-13])
def test_a_silent_reference_has_no_scores(one_second_in_three, level):
    reference, rest = one_second_in_three
    estimates = {"a": rest, "silence": 0 * rest}
    scores = score_separation(level * reference, rest, estimates, filter_length=16)
    assert set(scores) == {"a", "silence"}
    for values in scores.values():
        assert set(values) == MEASURES
        assert all(math.isnan(value) for value in values.values())


def test_an_empty_span_or_total_silence_has_no_scores(one_second_in_three):
    reference, rest = one_second_in_three
    for scores in (
        score_separation(reference, rest, {"a": rest}, span=(100, 100)),
        score_separation(0 * rest, 0 * rest, {"a": 0 * rest}),
    ):
        assert all(math.isnan(value) for value in scores["a"].values())


@pytest.mark.parametrize("level", [0, 1e-13])
def test_nothing_interferes_where_the_rest_is_silent(one_second_in_three, level):
    reference, rest = one_second_in_three
    estimate = reference + 0.1 * rest
    scores = score_separation(reference, level * rest, {"a": estimate}, filter_length=16)["a"]
    assert scores["sir"] == math.inf
    assert scores["sdr"] == scores["sar"]
    assert scores["sdr"] == pytest.approx(scores["si_sdr"], abs=0.1)


def test_float32_signals_are_scored_in_float64(one_second_in_three):
    reference, rest = (samples.astype(np.float32) for samples in one_second_in_three)
    estimate = reference + np.float32(0.1) * rest
    single = score_separation(reference, rest, {"a": estimate}, filter_length=16)
    double = score_separation(
        *(samples.astype(np.float64) for samples in (reference, rest)),
        {"a": estimate.astype(np.float64)},
        filter_length=16,
    )
    assert single == double
