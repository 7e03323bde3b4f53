import numpy as np
import pytest

from tfseg.errors import DataError
from tfseg.evaluation.bootstrap import ClipF1, ClipMean
from tfseg.evaluation.clip_counts import ClipSet
from tfseg.evaluation.comparison import (
    COMPARISON_COLUMNS,
    INTERVAL_COLUMNS,
    Samples,
    comparison_rows,
    interval_rows,
)

N = 60
CLIPS = ClipSet(tuple(f"m{i}" for i in range(N)), (1,) * 25 + (2,) * 35)
KEY = ("tagging", "f1", "published")


def _measure(quality, rng):
    """F1 of clips of three classes, of which the share `quality` is right."""
    reference = rng.random((N, 3)) < 0.5
    predicted = np.where(rng.random((N, 3)) < quality, reference, ~reference)
    return ClipF1(predicted, reference, predicted & reference)


@pytest.fixture
def measures():
    """By system, SNR and seed; the second system is the better one."""
    rng = np.random.default_rng(0)
    quality = {"gmp": 0.6, "gwrp": 0.9}
    return {
        (system, snr_db, seed): _measure(quality[system], rng)
        for system in quality
        for snr_db in (10.0, 0.0)
        for seed in (0, 1)
    }


@pytest.fixture
def samples(measures):
    samples = Samples(200, 1)
    for (system, snr_db, seed), measure in measures.items():
        samples.add("scored", CLIPS, {KEY: measure}, snr_db=snr_db, system=system, seed=seed)
    return samples


def _weights():
    from tfseg.evaluation.bootstrap import draw_weights

    return draw_weights(CLIPS.folds, 200, 1, "scored")


def test_clip_sets_join_folds():
    assert ClipSet.of({1: ["a", "b"], 2: ["c"]}) == ClipSet(("a", "b", "c"), (1, 1, 2))


def test_intervals_are_percentiles_of_the_resampled_metric(samples, measures):
    table = interval_rows(samples)
    assert list(table.columns) == INTERVAL_COLUMNS
    assert set(table["fold"]) == {"pooled"}
    assert set(table["snr_db"]) == {10.0, 0.0, "all"}
    assert set(table["seed"]) == {0, 1, "all"}
    assert len(table) == 2 * 3 * 3
    weights = _weights()
    values = {key: measure.macro(weights) for key, measure in measures.items()}
    found = table.set_index(["system", "snr_db", "seed"])[["value", "low", "high"]]
    one = values["gmp", 10.0, 1]
    expected = [one[0], *np.percentile(one[1:], [2.5, 97.5])]
    np.testing.assert_allclose(found.loc[("gmp", 10.0, 1)].to_list(), expected, rtol=1e-12)
    mean = np.mean([v for key, v in values.items() if key[0] == "gwrp"], axis=0)
    expected = [mean[0], *np.percentile(mean[1:], [2.5, 97.5])]
    np.testing.assert_allclose(found.loc[("gwrp", "all", "all")].to_list(), expected, rtol=1e-12)
    assert ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).all()


def test_one_repeat_has_no_row_of_all(measures):
    samples = Samples(200, 1)
    samples.add("scored", CLIPS, {KEY: measures["gmp", 10.0, 0]}, snr_db=10, system="gmp", seed=0)
    assert set(interval_rows(samples)["seed"]) == {0}


def test_a_comparison_is_paired(samples, measures):
    table = comparison_rows(samples, "gmp")
    assert list(table.columns) == COMPARISON_COLUMNS
    assert set(table["system"]) == {"gwrp"}
    assert set(table["reference"]) == {"gmp"}
    assert set(table["n_clips"]) == {N}
    assert set(table["n_seeds"]) == {2}
    weights = _weights()

    def mean(system, *snrs):
        runs = [measures[system, snr_db, seed] for snr_db in snrs for seed in (0, 1)]
        return np.mean([measure.macro(weights) for measure in runs], axis=0)

    for name, snrs in ((10.0, [10.0]), (0.0, [0.0]), ("all", [10.0, 0.0])):
        row = table[table["snr_db"] == name].iloc[0]
        ours, others = mean("gwrp", *snrs), mean("gmp", *snrs)
        assert (row["value"], row["reference_value"]) == pytest.approx((ours[0], others[0]))
        for what, both in (("difference", ours - others), ("ratio", ours / others)):
            assert row[what] == pytest.approx(both[0])
            bounds = np.percentile(both[1:], [2.5, 97.5])
            assert [row[f"{what}_low"], row[f"{what}_high"]] == pytest.approx(bounds.tolist())
        assert row["difference_low"] > 0


def test_a_system_that_is_another_by_name_only_does_not_differ(measures):
    # Unpaired, the difference of two equal systems would have an interval as wide as theirs.
    samples = Samples(200, 1)
    for system in ("gmp", "gwrp"):
        measure = measures["gmp", 10.0, 0]
        samples.add("scored", CLIPS, {KEY: measure}, snr_db=10.0, system=system, seed=0)
    table = comparison_rows(samples, "gmp")
    assert (table[["difference", "difference_low", "difference_high"]] == 0).all(axis=None)
    assert (table[["ratio", "ratio_low", "ratio_high"]] == 1).all(axis=None)


def test_decibels_have_no_ratio_and_neither_has_a_reference_of_zero(measures):
    rng = np.random.default_rng(1)
    samples = Samples(200, 1)
    nothing = ClipF1(np.ones((N, 3)), np.ones((N, 3)), np.zeros((N, 3)))
    for system, measure in (("gmp", nothing), ("gwrp", measures["gwrp", 0.0, 0])):
        gains = ClipMean(rng.normal(5, 1, (N, 1)), np.ones((N, 1)))
        both = {KEY: measure, ("separation", "capi_sdri", "predicted_tags"): gains}
        samples.add("scored", CLIPS, both, snr_db=0.0, system=system, seed=0)
    table = comparison_rows(samples, "gmp")
    assert len(table) == 4
    assert table[["ratio", "ratio_low", "ratio_high"]].isna().all(axis=None)
    assert table["difference"].notna().all()


def test_what_the_reference_does_not_have_is_not_compared(measures):
    samples = Samples(200, 1)
    for system, variant in (("gmp", "published"), ("gwrp", "published"), ("gwrp", "tuned")):
        key = ("mask", "f1", variant)
        measure = measures[system, 0.0, 0]
        samples.add("scored", CLIPS, {key: measure}, snr_db=0.0, system=system, seed=0)
    assert set(comparison_rows(samples, "gmp")["variant"]) == {"published"}
    assert comparison_rows(samples, "dnn").empty
    assert set(interval_rows(samples)["variant"]) == {"published", "tuned"}


def test_clips_used_as_recorded_have_no_snr(measures):
    samples = Samples(200, 1)
    for system in ("gmp", "gwrp"):
        for seed in (0, 1):
            samples.add(
                "scored",
                CLIPS,
                {KEY: measures[system, 0.0, seed]},
                snr_db=None,
                system=system,
                seed=seed,
            )
    assert comparison_rows(samples, "gmp")["snr_db"].to_list() == [None, "all"]


def test_other_clips_are_refused(samples, measures):
    other = ClipSet(CLIPS.names[::-1], CLIPS.folds)
    with pytest.raises(DataError, match="gmp, 0 dB, repeat 5: expected the 60 clips"):
        samples.add(
            "scored", other, {KEY: measures["gmp", 0.0, 0]}, snr_db=0.0, system="gmp", seed=5
        )
