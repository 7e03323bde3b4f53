import pandas as pd
import pytest
from known_answers import failures, order_failures

SDR_DB = {"no_separation": -5.0, "ibm": 12.0, "irm": 13.0, "gmp": -4.0, "gwrp": 4.0}


@pytest.fixture
def metrics():
    rows = [
        (label, snr_db, system, metric, value)
        for label in ("Bark", "Gong")
        for snr_db in (0, 20)
        for system, sdr_db in SDR_DB.items()
        for metric, value in (("sdr", sdr_db), ("sir", sdr_db), ("sar", 200.0))
    ]
    frame = pd.DataFrame(rows, columns=["class", "snr_db", "system", "metric", "value"])
    return frame.assign(task="separation", variant="published", fold="all", seed=0)


def _set(metrics, value, **where):
    chosen = (metrics[list(where)] == pd.Series(where)).all(axis=1)
    assert chosen.any()
    metrics.loc[chosen, "value"] = value
    return metrics


def test_what_must_hold_holds(metrics):
    assert failures(metrics) == []


@pytest.mark.parametrize("system", ["gwrp", "no_separation"])
def test_nothing_is_better_than_the_ideal_mask(metrics, system):
    found = failures(
        _set(metrics, 12.5, system=system, metric="sdr", snr_db=0, **{"class": "Gong"})
    )
    assert f"repeat 0, Gong: {system} has an SDR of 12.50 dB" in found[0]


def test_only_0_db_counts(metrics):
    assert failures(_set(metrics, 50.0, system="gwrp", metric="sdr", snr_db=20)) == []


def test_no_separation_distorts_nothing(metrics):
    assert (
        "SDR other than SIR" in failures(_set(metrics, -4, system="no_separation", metric="sir"))[0]
    )
    metrics = _set(metrics, -5.0, system="no_separation", metric="sir")
    assert "SAR of 79" in failures(_set(metrics, 79.0, system="no_separation", metric="sar"))[0]


def test_scores_that_are_not_there_do_not_pass(metrics):
    assert failures(metrics[:0]) == ["expected separation scores at 0 dB, found none"]
    assert failures(_set(metrics, float("nan"), system="gwrp", metric="sdr"))


# Of gmp, gap, gwrp, unet.
ORDERED = {
    ("tagging", "map"): (0.7, 0.6, 0.7, 0.9),
    ("frame", "f1"): (0.1, 0.2, 0.4, 0.6),
    ("mask", "f1"): (0.1, 0.2, 0.3, 0.4),
    ("mask", "auc"): (0.3, 0.8, 0.8, 0.7),
}


@pytest.fixture
def ordered():
    rows = [
        (task, metric, system, snr_db, value + offset)
        for (task, metric), values in ORDERED.items()
        for system, value in zip(("gmp", "gap", "gwrp", "unet"), values, strict=True)
        for snr_db, offset in ((20, 0.05), (0, -0.05))
    ]
    frame = pd.DataFrame(rows, columns=["task", "metric", "system", "snr_db", "value"])
    return frame.assign(**{"class": "macro", "variant": "published", "fold": "all", "seed": 0})


def test_the_order_of_the_systems_holds(ordered):
    assert order_failures(ordered) == []


@pytest.mark.parametrize(
    ("task", "metric", "system", "value", "sentence"),
    [
        ("frame", "f1", "gap", 0.45, "frame f1 of gwrp is 0.400, expected more than gap's 0.450"),
        ("mask", "f1", "gmp", 0.35, "mask f1 of gwrp is 0.300, expected more than gmp's 0.350"),
        ("mask", "auc", "gmp", 0.9, "mask auc of gap is 0.800, expected more than gmp's 0.900"),
        ("tagging", "map", "unet", 0.7, "map of unet is 0.700, expected more than gmp's 0.700"),
    ],
)
def test_another_order_is_told(ordered, task, metric, system, value, sentence):
    assert (
        sentence in order_failures(_set(ordered, value, task=task, metric=metric, system=system))[0]
    )


def test_an_order_needs_all_systems(ordered):
    without = ordered[ordered["system"] != "unet"]
    assert "tagging map: expected scores of unet, found none" in order_failures(without)
