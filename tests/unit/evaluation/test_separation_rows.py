import itertools

import numpy as np
import pandas as pd
import pytest

from tfseg.evaluation.bss_eval import score_separation
from tfseg.evaluation.records import COLUMNS
from tfseg.evaluation.separation_rows import (
    BASELINE,
    MEASURES,
    capi_sdri,
    separation_metrics,
    separation_rows,
    with_improvements,
)

CLASSES = ["dog", "siren"]
FIELDS = [
    "mixture",
    "class",
    "system",
    "span",
    "sdr",
    "sir",
    "sar",
    "si_sdr",
    "snr",
    "sounding",
    "predicted",
]


def _row(mixture, label, system, sdr, *, span="whole", sounding=1, predicted=1):
    values = (sdr, sdr + 1, sdr + 2, sdr - 1, sdr - 2)
    return (mixture, label, system, span, *values, sounding, predicted)


@pytest.fixture
def scores():
    """Two mixtures with a dog and one with a siren; gwrp misses one dog and has a false siren."""
    nan = np.nan
    rows = [
        _row("a", "dog", "no_separation", -4.0),
        _row("b", "dog", "no_separation", -2.0),
        _row("b", "siren", "no_separation", -6.0),
        _row("a", "dog", "gwrp", 4.0),
        _row("b", "dog", "gwrp", 2.0, predicted=0),
        _row("b", "siren", "gwrp", 0.0),
        _row("a", "siren", "gwrp", nan, sounding=0),
        _row("a", "dog", "ibm", 20.0),
        _row("b", "dog", "ibm", 10.0),
        _row("b", "siren", "ibm", -np.inf),
    ]
    table = pd.DataFrame(rows, columns=FIELDS)
    active = table.assign(span="active", sdr=table["sdr"] + 5, si_sdr=table["si_sdr"] + 5, snr=99.0)
    return pd.concat([table, active], ignore_index=True)


@pytest.fixture
def values(scores):
    rows = separation_rows(scores, CLASSES)
    columns = ["system", "metric", "class", "variant", "value", "n"]
    return pd.DataFrame(rows, columns=columns).set_index(columns[:4])


def test_means_are_over_mixtures_and_then_over_classes(values):
    def sdr(system, label, variant="published"):
        return tuple(values.loc[(system, "sdr", label, variant)])

    assert sdr("gwrp", "dog") == (3, 2)
    assert sdr("gwrp", "siren") == (0, 1)
    assert sdr("gwrp", "macro") == (1.5, 2)
    assert sdr("gwrp", "dog", "active_span") == (8, 2)
    assert sdr("no_separation", "macro") == (-4.5, 2)


def test_improvements_are_over_the_mixture_as_it_is(values):
    value = values["value"]
    assert value["gwrp", "sdr_improvement", "dog", "published"] == 6
    assert value["gwrp", "si_sdr_improvement", "siren", "published"] == 6
    assert value["no_separation", "sdr_improvement", "macro", "published"] == 0


def test_with_predicted_tags_a_miss_and_an_invention_gain_nothing(values):
    predicted = values["value"].xs("predicted_tags", level="variant")
    assert predicted["gwrp", "sdr_improvement", "dog"] == (8 + 0) / 2
    assert predicted["gwrp", "sdr_improvement", "siren"] == (6 + 0) / 2
    assert set(predicted.index.get_level_values("system")) == {"gwrp"}


def test_capi_sdri_is_the_mean_over_a_mixtures_sources_with_zero_for_every_error(values):
    # Mixture a: the dog gains 8 dB, and a siren is invented. b: a dog is missed, the siren gains 6.
    found = values.loc[("gwrp", "capi_sdri", "macro", "predicted_tags")]
    assert tuple(found) == (((8 + 0) / 2 + (0 + 6) / 2) / 2, 2)
    systems = values.xs("capi_sdri", level="metric").index.get_level_values("system")
    assert set(systems) == {"gwrp"}


def _capi_sdri_by_hand(mixture, references, estimates):
    """The task's definition: labelled sources in any number, the best pairs within a class."""
    total, n_sources = 0.0, 0
    for label in {label for label, _ in [*references, *estimates]}:
        true = [x for k, x in references if k == label]
        found = [x for k, x in estimates if k == label]
        n_sources += max(len(true), len(found))
        gains = [
            [
                10 * np.log10(np.sum((x - mixture) ** 2) / np.sum((x - estimate) ** 2))
                for estimate in found
            ]
            for x in true
        ]
        if true and found:
            n = min(len(true), len(found))
            total += max(
                sum(gains[i][j] for i, j in zip(rows, columns, strict=True))
                for rows in itertools.permutations(range(len(true)), n)
                for columns in itertools.permutations(range(len(found)), n)
            )
    return total / n_sources


def test_capi_sdri_is_the_tasks_of_one_source_for_each_class():
    rng = np.random.default_rng(4)
    rows, expected = [], {}
    for index in range(12):
        name = f"m{index}"
        sounding = [label for label in "abc" if rng.random() < 0.6] or ["a"]
        predicted = {label for label in "abcd" if rng.random() < 0.6}
        tracks = {label: rng.normal(size=200) for label in sounding}
        mixture = sum(tracks.values()) + rng.normal(size=200)
        estimates = {label: 0.7 * tracks[label] + rng.normal(size=200) / 3 for label in sounding}
        for label in sounding:
            both = {BASELINE: mixture, "gwrp": estimates[label]}
            scores = score_separation(tracks[label], mixture - tracks[label], both, filter_length=2)
            rows += [
                (name, label, s, "whole", *(v[m] for m in MEASURES), 1, int(label in predicted))
                for s, v in scores.items()
            ]
        rows += [
            (name, label, "gwrp", "whole", *[np.nan] * 5, 0, 1)
            for label in predicted - set(sounding)
        ]
        expected[name] = _capi_sdri_by_hand(
            mixture,
            list(tracks.items()),
            [(label, estimates.get(label, mixture)) for label in predicted],
        )
    table = with_improvements(pd.DataFrame(rows, columns=FIELDS))
    found = capi_sdri(table[table["system"] == "gwrp"])
    assert found.to_dict() == pytest.approx(expected)


def test_a_silent_estimate_is_counted_and_left_out_of_the_mean(values):
    value = values["value"]
    assert value["ibm", "silent_estimates", "siren", "published"] == 1
    assert value["ibm", "silent_estimates", "dog", "published"] == 0
    assert value["ibm", "silent_estimates", "macro", "published"] == 1
    assert value["ibm", "sdr", "dog", "published"] == 15
    assert value["ibm", "sdr", "siren", "published"] == -np.inf  # nothing else is left


def test_tables_of_folds_are_joined_and_averaged(scores):
    other = scores.assign(sdr=scores["sdr"] + 2)
    metrics = separation_metrics([(0.0, 1, 0, scores), (0.0, 2, 0, other)], CLASSES)
    assert list(metrics.columns) == COLUMNS
    assert set(metrics["task"]) == {"separation"}
    one = metrics.query(
        "system == 'gwrp' and metric == 'sdr' and variant == 'published' and `class` == 'dog'"
    ).set_index("fold")
    assert one["value"].to_dict() == {"1": 3, "2": 5, "all": 4}
    assert one["n"].to_dict() == {"1": 2, "2": 2, "all": 4}
    silent = metrics.query("metric == 'silent_estimates' and fold == 'all' and system == 'ibm'")
    assert (
        silent[(silent["class"] == "macro") & (silent["variant"] == "published")]["value"].item()
        == 2
    )
