import dataclasses

import numpy as np
import pandas as pd
import pytest
from scored_fold import CLASSES, SETTINGS, make_fold
from sklearn.metrics import average_precision_score

from tfseg.evaluation.metric_names import METRICS
from tfseg.evaluation.micro_average_precision import of_all
from tfseg.evaluation.own_metrics import own_metrics


def _fold(tags, target):
    fold = make_fold(1)[0]
    return dataclasses.replace(fold, tags=np.asarray(tags), target=np.asarray(target))


@pytest.mark.parametrize("decimals", [1, 6])  # with and without equal scores
def test_it_is_scikit_learns(decimals):
    rng = np.random.default_rng(0)
    target = rng.random((60, 5)) < 0.3
    tags = np.round(rng.random((60, 5)) * 0.6 + 0.4 * target, decimals).astype(np.float32)
    value, n_positive = of_all(_fold(tags, target), CLASSES, SETTINGS)
    assert value == pytest.approx(average_precision_score(target, tags, average="micro"))
    assert n_positive == target.sum()
    assert value != pytest.approx(average_precision_score(target, tags, average="macro"), abs=1e-3)


def test_a_frequent_class_counts_more():
    target = np.zeros((10, 2), bool)
    target[:8, 0] = target[0, 1] = True
    tags = np.where(target, 0.9, 0.1)
    assert of_all(_fold(tags, target), CLASSES, SETTINGS) == (1.0, 9)
    tags[0, 1] = 0.0  # the rare class's clip is last of 20
    value, _ = of_all(_fold(tags, target), CLASSES, SETTINGS)
    assert value == pytest.approx(8 / 9 + 9 / 20 / 9)


def test_without_a_positive_tag_there_is_no_value():
    value, n_positive = of_all(_fold(np.ones((3, 2)), np.zeros((3, 2), bool)), CLASSES, SETTINGS)
    assert np.isnan(value)
    assert n_positive == 0


def test_it_has_a_row_per_fold_their_mean_and_the_pooled_clips():
    folds = {fold: make_fold(fold, prefix=f"fold{fold}-")[0] for fold in (1, 2)}
    rows = own_metrics(folds, CLASSES, SETTINGS, snr_db=0.0, system="gwrp", seed=0)
    rows = rows[rows["metric"] == "micro_ap"].set_index("fold")
    assert [str(fold) for fold in rows.index] == ["1", "2", "all", "pooled"]
    assert set(rows["class"]) == {"macro"}
    values = {str(fold): value for fold, value in rows["value"].items()}
    assert values["all"] == pytest.approx((values["1"] + values["2"]) / 2)
    target, tags = (
        np.concatenate([getattr(fold, name) for fold in folds.values()])
        for name in ("target", "tags")
    )
    assert values["pooled"] == pytest.approx(average_precision_score(target, tags, average="micro"))


def test_other_papers_numbers_are_marked_and_of_metrics_that_there_are(repository):
    table = pd.read_csv(repository / "resources/other_papers.csv")
    assert set(table["metric"]) <= set(METRICS)
    assert table[["paper", "note", "system"]].notna().all(axis=None)
    assert table["value"].between(0, 1).all()
    of_2apae = table[table["system"] == "2APAE"].pivot_table("value", "snr_db", "metric")
    assert of_2apae.loc[0].to_dict() == {"auc": 0.9177, "map": 0.6892, "micro_ap": 0.6986}
    assert of_2apae.index.tolist() == [0, 10, 20]
