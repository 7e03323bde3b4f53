import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from scored_fold import CLASSES, GRID, SETTINGS, make_fold
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from tfseg.errors import DamagedFileError, TableError
from tfseg.evaluation import event_based
from tfseg.evaluation.event_based import count_events, event_scores
from tfseg.evaluation.records import COLUMNS, read_metrics
from tfseg.evaluation.scoring import (
    count_folds,
    fold_rows,
    frame_histograms,
    frame_metrics,
    macro,
    mask_metrics,
    pool,
    precision_recall_f1,
    read_fold_scores,
    score_system,
    shuffled_tagging_metrics,
    tagging_metrics,
)
from tfseg.features.feature_set import FeatureSet
from tfseg.inference.forward import MaskCounter, write_scores


@pytest.fixture
def fold():
    return make_fold(0)[0]


def _scikit_learns(scores, positive, threshold):
    """The same metrics by scikit-learn; `scores` [shape=(n, n_classes)]."""
    values = {name: [] for name in ("f1", "precision", "recall", "auc", "map")}
    for k in range(scores.shape[1]):
        truth, score = positive[:, k], scores[:, k]
        above = score > scores.dtype.type(threshold)
        if not truth.any():
            for found in values.values():
                found.append(np.nan)
            continue
        values["f1"].append(f1_score(truth, above, zero_division=0))
        values["precision"].append(precision_score(truth, above, zero_division=0))
        values["recall"].append(recall_score(truth, above))
        score = score.astype(np.float64)
        values["auc"].append(np.nan if truth.all() else roc_auc_score(truth, score))
        values["map"].append(average_precision_score(truth, score))
    return values


def _assert_values(found, expected):
    found = {name: values for name, values in found.items() if name != "eer"}
    assert set(found) == set(expected)
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name], atol=1e-12, err_msg=name)


# Metrics of one fold


@pytest.mark.parametrize("seed", range(3))
def test_tagging_is_scikit_learns(seed):
    fold, *_ = make_fold(seed)
    values, n_positive = tagging_metrics(fold, SETTINGS)
    _assert_values(values, _scikit_learns(fold.tags, fold.target, 0.1))
    np.testing.assert_array_equal(n_positive, fold.target.sum(axis=0))
    assert n_positive[3] == 0


@pytest.mark.parametrize("seed", range(3))
def test_frames_are_scikit_learns_on_gated_scores(seed):
    fold, *_ = make_fold(seed)
    positive = fold.strong.reshape(-1, 4)
    gated = np.where(fold.tags[:, None] > np.float32(0.1), fold.frames, np.float16(0))
    assert (gated != fold.frames).any()
    for gate, scores in ((True, gated), (False, fold.frames)):
        values, n_positive = frame_metrics(frame_histograms(fold, SETTINGS)[gate], SETTINGS)
        _assert_values(values, _scikit_learns(scores.reshape(-1, 4), positive, 0.1))
        np.testing.assert_array_equal(n_positive, positive.sum(axis=0))


@pytest.mark.parametrize("seed", range(3))
def test_masks_are_scikit_learns(seed):
    fold, masks, ideal = make_fold(seed)
    values, n_positive = mask_metrics(fold)
    expected = _scikit_learns(masks, ideal, 0.1)
    half = _scikit_learns(masks.astype(np.float16), ideal, 0.1)
    _assert_values(values, expected | {"auc": half["auc"], "map": half["map"]})
    np.testing.assert_array_equal(n_positive, ideal.sum(axis=0))


def test_thresholds_are_settings(fold):
    settings = dataclasses.replace(SETTINGS, tag_threshold=0.3, frame_threshold=0.2)
    values, _ = tagging_metrics(fold, settings)
    _assert_values(values, _scikit_learns(fold.tags, fold.target, 0.3))
    values, _ = frame_metrics(frame_histograms(fold, settings)[False], settings)
    flat = fold.frames.reshape(-1, 4), fold.strong.reshape(-1, 4)
    _assert_values(values, _scikit_learns(*flat, 0.2))


def test_scoring_changes_no_scores(fold):
    before = fold.frames.copy(), fold.tags.copy()
    _rows(fold)
    np.testing.assert_array_equal(fold.frames, before[0])
    np.testing.assert_array_equal(fold.tags, before[1])


def test_precision_recall_and_f1_from_counts():
    precision, recall, f1 = precision_recall_f1([4, 0, 5, 3, 0], [8, 2, 0, 3, 0], [2, 0, 0, 0, 0])
    np.testing.assert_array_equal(precision, [0.5, 0, np.nan, 0, np.nan])
    np.testing.assert_array_equal(recall, [0.25, 0, np.nan, 0, np.nan])
    np.testing.assert_allclose(f1, [4 / 12, 0, np.nan, 0, np.nan])


def test_macro_leaves_out_what_has_no_value_and_counts_the_rest():
    assert macro(np.array([1.0, 0.0, np.nan, 0.5])) == (0.5, 3)
    value, n = macro(np.array([np.nan, np.nan]))
    assert np.isnan(value)
    assert n == 0


def test_shuffled_tags_are_scikit_learns_mean_of_twenty_deals(fold):
    values, _ = shuffled_tagging_metrics(fold, SETTINGS, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    deals = [
        _scikit_learns(fold.tags[rng.permutation(len(fold.tags))], fold.target, 0.1)
        for _ in range(20)
    ]
    expected = {name: np.mean([deal[name] for deal in deals], axis=0) for name in deals[0]}
    _assert_values(values, expected)


def test_tags_that_are_no_numbers_are_refused(fold):
    tags = fold.tags.copy()
    tags[3, 1] = np.nan
    with pytest.raises(ValueError, match="expected finite scores"):
        tagging_metrics(dataclasses.replace(fold, tags=tags), SETTINGS)


@pytest.mark.parametrize("seed", range(2))
def test_shuffled_tags_score_at_chance(seed):
    fold, *_ = make_fold(seed, n=400)
    values, n_positive = shuffled_tagging_metrics(fold, SETTINGS, np.random.default_rng(0))
    found, expected_positive = tagging_metrics(fold, SETTINGS)
    np.testing.assert_array_equal(n_positive, expected_positive)
    share = fold.target.mean(axis=0)[:3]
    np.testing.assert_allclose(values["auc"][:3], 0.5, atol=0.03)
    np.testing.assert_allclose(values["map"][:3], share, atol=0.05)
    np.testing.assert_allclose(values["precision"][:3], share, atol=0.05)
    assert (found["auc"][:3] > 0.7).all()
    for by_class in values.values():
        assert np.isnan(by_class[3])


# Rows


def _table(rows):
    return pd.DataFrame(rows, columns=["task", "metric", "class", "variant", "value", "n"])


def _counts(folds, settings=SETTINGS):
    return list(count_folds(dict(enumerate(folds)), CLASSES, settings).values())


def _rows(fold, settings=SETTINGS):
    return fold_rows(*_counts([fold], settings), CLASSES, settings)


def _value(table, task, metric, label, variant="published", column="value"):
    found = table.query(
        f"task == '{task}' and metric == '{metric}' and `class` == '{label}'"
        f" and variant == '{variant}'"
    )[column]
    assert len(found) == 1
    return found.iloc[0]


@pytest.fixture(scope="module")
def table():
    return _table(_rows(make_fold(0)[0]))


def test_rows_hold_every_metric_of_every_class_once(table):
    keys = table[["task", "metric", "class", "variant"]]
    assert not keys.duplicated().any()
    scores = {"f1", "precision", "recall", "auc", "map"}
    rates = {"f1", "precision", "recall", "er", "deletion", "insertion"}
    expected = {
        ("tagging", "published"): scores,
        ("tagging", "shuffled"): scores,
        ("frame", "published"): scores | {"eer"},
        ("frame", "ungated"): scores | {"eer"},
        ("mask", "published"): scores,
        ("event", "published"): rates,
    }
    for (task, variant), metrics in expected.items():
        part = table.query(f"task == '{task}' and variant == '{variant}'")
        assert {(m, k) for m in metrics for k in (*CLASSES, "macro")} == set(
            zip(part["metric"], part["class"], strict=True)
        )
    assert set(zip(table["task"], table["variant"], strict=True)) == {
        *expected,
        ("event", "overall"),
    }
    overall = table.query("variant == 'overall'")
    assert set(overall["metric"]) == rates | {"substitution"}
    assert set(overall["class"]) == {"macro"}
    assert set(overall["task"]) == {"event"}


def test_macro_rows_are_the_mean_of_the_classes_with_a_reference(table):
    for (task, variant, metric), part in table.groupby(["task", "variant", "metric"]):
        if variant == "overall":
            continue
        values = part.set_index("class")["value"]
        assert np.isnan(values["Meow"]), (task, variant, metric)
        expected = values[["Bark", "Chime", "Gong"]].mean()
        assert values["macro"] == pytest.approx(expected)
        counts = part.set_index("class")["n"]
        assert counts["Meow"] == 0
        assert counts["macro"] == 3
        assert (counts[["Bark", "Chime", "Gong"]] > 0).all()


def test_a_class_that_was_never_found_scores_zero(fold):
    deaf = dataclasses.replace(
        fold,
        tags=fold.tags * np.float32([1, 0, 1, 1]),
        frames=fold.frames * np.float16([1, 0, 1, 1]),
        estimated={m: [e for e in v if e[0] != "Chime"] for m, v in fold.estimated.items()},
        mask_predicted=fold.mask_predicted * [1, 0, 1, 1],
        mask_hit=fold.mask_hit * [1, 0, 1, 1],
    )
    table = _table(_rows(deaf))
    for task in ("tagging", "frame", "event", "mask"):
        for metric in ("f1", "precision", "recall"):
            assert _value(table, task, metric, "Chime") == 0
        assert _value(table, task, "f1", "macro", column="n") == 3
    assert _value(table, "event", "er", "Chime") == pytest.approx(1)
    assert _value(table, "tagging", "auc", "Chime") == 0.5


def test_the_gate_decides_which_frame_rows_are_published(fold, table):
    gated = table
    ungated = _table(_rows(fold, dataclasses.replace(SETTINGS, tag_gate=False)))
    for metric in ("f1", "precision", "auc", "map"):
        for label in ("Bark", "macro"):
            with_gate = _value(gated, "frame", metric, label)
            without = _value(gated, "frame", metric, label, "ungated")
            assert with_gate != without
            assert with_gate == _value(ungated, "frame", metric, label, "gated")
            assert without == _value(ungated, "frame", metric, label)


def test_event_rows_are_those_of_the_events(fold, table):
    by_class, overall, n_reference = event_scores(
        count_events(
            fold.reference, fold.estimated, classes=CLASSES, collar_s=0.2, offset_fraction=0.5
        )
    )
    for metric, values in by_class.items():
        for k, label in enumerate(CLASSES[:3]):
            assert _value(table, "event", metric, label) == values[k]
            assert _value(table, "event", metric, label, column="n") == n_reference[k]
    for metric, value in overall.items():
        assert _value(table, "event", metric, "macro", "overall") == value


# Several folds


@pytest.fixture(scope="module")
def folds():
    return {1: make_fold(1, n=20, prefix="a")[0], 2: make_fold(2, n=35, prefix="b")[0]}


@pytest.fixture(scope="module")
def metrics(folds):
    return score_system(folds, CLASSES, SETTINGS, snr_db=10, system="gwrp", seed=0)


KEYS = ["task", "metric", "class", "variant"]


def test_the_table_has_its_columns_and_keys(metrics):
    assert list(metrics.columns) == COLUMNS
    assert set(metrics["fold"]) == {"1", "2", "all", "pooled"}
    assert not metrics.duplicated([*KEYS, "fold"]).any()
    assert set(metrics["snr_db"]) == {10}
    assert set(metrics["system"]) == {"gwrp"}
    assert set(metrics["seed"]) == {0}
    sizes = metrics.groupby("fold").size()
    assert sizes.nunique() == 1


def test_a_folds_rows_are_those_of_the_fold(metrics, folds):
    for fold, scores in folds.items():
        found = metrics[metrics["fold"] == str(fold)][[*KEYS[:3], "variant", "value", "n"]]
        expected = _table(_rows(scores))
        pd.testing.assert_frame_equal(found.reset_index(drop=True), expected, check_exact=True)


def test_all_is_the_mean_of_the_folds(metrics):
    by_fold = metrics.pivot(index=KEYS, columns="fold", values="value")
    np.testing.assert_allclose(by_fold["all"], by_fold[["1", "2"]].mean(axis=1), rtol=1e-12)
    counts = metrics.pivot(index=KEYS, columns="fold", values="n")
    of_class = counts.index.get_level_values("class") != "macro"
    np.testing.assert_array_equal(counts["all"][of_class], (counts["1"] + counts["2"])[of_class])
    assert set(counts["all"][~of_class]) == {3}


def test_all_is_the_mean_of_the_folds_that_have_a_value(folds):
    # In fold 2, nothing is a Gong.
    gong = CLASSES.index("Gong")
    fold = folds[2]
    target, strong = fold.target.copy(), fold.strong.copy()
    target[:, gong] = False
    strong[..., gong] = False
    reference = {m: [e for e in v if e[0] != "Gong"] for m, v in fold.reference.items()}
    other = dataclasses.replace(fold, target=target, strong=strong, reference=reference)
    folds = {1: folds[1], 2: other}
    metrics = score_system(folds, CLASSES, SETTINGS, snr_db=10, system="gwrp", seed=0)
    part = metrics.query("`class` == 'Gong' and variant == 'published' and task != 'mask'")
    by_fold = part.pivot(index=["task", "metric"], columns="fold", values="value")
    assert by_fold["2"].isna().all()
    np.testing.assert_array_equal(by_fold["all"], by_fold["1"])


def test_pooled_is_the_score_of_the_union(metrics, folds):
    union = {
        name: np.concatenate([getattr(fold, name) for fold in folds.values()])
        for name in ("tags", "target", "frames", "strong")
    }
    table = metrics[metrics["fold"] == "pooled"]
    expected = _scikit_learns(union["tags"], union["target"], 0.1)
    for metric, values in expected.items():
        for k, label in enumerate(CLASSES[:3]):
            assert _value(table, "tagging", metric, label) == pytest.approx(values[k])
    expected = _scikit_learns(union["frames"].reshape(-1, 4), union["strong"].reshape(-1, 4), 0.1)
    for metric, values in expected.items():
        for k, label in enumerate(CLASSES[:3]):
            found = _value(table, "frame", metric, label, "ungated")
            assert found == pytest.approx(values[k])
    counts = count_events(
        {m: e for fold in folds.values() for m, e in fold.reference.items()},
        {m: e for fold in folds.values() for m, e in fold.estimated.items()},
        classes=CLASSES,
        collar_s=0.2,
        offset_fraction=0.5,
    )
    by_class, overall, _ = event_scores(counts)
    for metric, value in overall.items():
        assert _value(table, "event", metric, "macro", "overall") == value
    for metric, values in by_class.items():
        for k, label in enumerate(CLASSES[:3]):
            assert _value(table, "event", metric, label) == values[k]


def test_no_event_is_evaluated_twice(folds, monkeypatch):
    counted = []

    def counting(reference, estimated, **settings):
        counted.extend(reference)
        return count_events(reference, estimated, **settings)

    monkeypatch.setattr(event_based, "count_events", counting)
    score_system(folds, CLASSES, SETTINGS, snr_db=10, system="gwrp", seed=0)
    assert counted == [name for fold in folds.values() for name in fold.reference]


def test_the_number_of_processes_changes_nothing(folds, metrics, monkeypatch):
    monkeypatch.setattr(event_based, "CLIPS_FOR_PROCESSES", 2)
    settings = {"snr_db": 10, "system": "gwrp", "seed": 0, "processes": 2}
    again = score_system(folds, CLASSES, SETTINGS, **settings)
    pd.testing.assert_frame_equal(again, metrics, check_exact=True)


def test_pooled_masks_are_those_of_all_units(metrics):
    parts = [make_fold(1, n=20, prefix="a")[1:], make_fold(2, n=35, prefix="b")[1:]]
    masks, ideal = (np.concatenate(both) for both in zip(*parts, strict=True))
    table = metrics[metrics["fold"] == "pooled"]
    expected = _scikit_learns(masks, ideal, 0.1)
    half = _scikit_learns(masks.astype(np.float16), ideal, 0.1)
    for metric, values in (expected | {"auc": half["auc"], "map": half["map"]}).items():
        for k, label in enumerate(CLASSES[:3]):
            assert _value(table, "mask", metric, label) == pytest.approx(values[k])


def test_pooling_one_fold_changes_nothing(fold, table):
    pooled = _table(fold_rows(pool(_counts([fold])), CLASSES, SETTINGS))
    pd.testing.assert_frame_equal(pooled, table, check_exact=True)


# Files


@pytest.fixture
def score_files(fold, tmp_path, tiny_settings):
    features = FeatureSet(
        logmel=np.zeros((30, 20, 2), dtype=np.float16),
        target=fold.target.astype(np.uint8),
        mixture=fold.mixtures,
        kind=["mixture"] * 30,
        part=["train"] * 30,
        mask_mixture=None,
        mask_class=None,
        mask_bits=None,
        classes=CLASSES,
        settings=tiny_settings.as_dict(),
    )
    counter = MaskCounter(4, {"published": 0.1})
    counter.add(
        torch.rand(2, 4, 5, 3, generator=torch.Generator().manual_seed(0)),
        torch.ones(1, 5, 3, dtype=torch.bool),
        torch.tensor([1]),
        torch.tensor([2]),
    )
    paths = tmp_path / "scores.h5", tmp_path / "mask_counts.h5"
    write_scores(*paths, features, fold.tags, fold.frames, counter)
    return paths, counter


def test_scores_come_back_with_their_references(score_files, fold):
    paths, counter = score_files
    silent = fold.mixtures[3]
    labels = fold.reference | {silent: []}
    scores, classes = read_fold_scores(*paths, fold.estimated, labels, GRID)
    assert classes == CLASSES
    assert scores.mixtures == fold.mixtures
    for name in ("tags", "target", "frames"):
        np.testing.assert_array_equal(getattr(scores, name), getattr(fold, name))
        assert getattr(scores, name).dtype == getattr(fold, name).dtype
    others = [i for i in range(30) if i != 3]
    np.testing.assert_array_equal(np.stack(scores.strong)[others], fold.strong[others])
    assert not scores.strong[3].any()
    assert scores.reference == fold.reference | {silent: []}
    histogram, predicted, hit = counter.result()
    np.testing.assert_array_equal(scores.masks.total, histogram.total)
    np.testing.assert_array_equal(scores.masks.positive, histogram.positive)
    np.testing.assert_array_equal(scores.mask_predicted, predicted)
    np.testing.assert_array_equal(scores.mask_hit, hit)


@pytest.mark.parametrize("which", [0, 1])
def test_damaged_scores_are_refused_by_name(score_files, fold, which):
    paths, _ = score_files
    paths[which].write_bytes(paths[which].read_bytes()[:-20])
    with pytest.raises(DamagedFileError, match=paths[which].name):
        read_fold_scores(*paths, fold.estimated, fold.reference, GRID)


def test_the_table_of_metrics_comes_back(metrics, tmp_path):
    metrics.to_csv(tmp_path / "metrics.csv", index=False)
    again = read_metrics(tmp_path / "metrics.csv")
    pd.testing.assert_frame_equal(again, metrics, check_exact=False, rtol=1e-12)
    metrics.drop(columns="variant").to_csv(tmp_path / "metrics.csv", index=False)
    with pytest.raises(
        TableError, match=r"metrics\.csv: expected the columns .*missing \['variant"
    ):
        read_metrics(tmp_path / "metrics.csv")


# Clips of which only some have references


def test_only_clips_whose_events_are_known_count_for_frames_and_events(fold):
    known = dict(list(fold.reference.items())[:12])
    partly = dataclasses.replace(fold, reference=known, masks=None)
    alone = dataclasses.replace(
        partly,
        mixtures=fold.mixtures[:12],
        tags=fold.tags[:12],
        target=fold.target[:12],
        frames=fold.frames[:12],
        strong=fold.strong[:12],
    )
    table, expected = (_table(_rows(part)) for part in (partly, alone))
    assert set(table["task"]) == {"tagging", "frame", "event"}
    for task in ("frame", "event"):
        pd.testing.assert_frame_equal(
            table[table["task"] == task].reset_index(drop=True),
            expected[expected["task"] == task].reset_index(drop=True),
        )
    tagging = table[table["task"] == "tagging"]
    whole = _table(_rows(fold))
    whole = whole[(whole["task"] == "tagging")]
    pd.testing.assert_frame_equal(tagging, whole)


def test_without_any_reference_only_tags_are_scored(fold):
    bare = dataclasses.replace(fold, reference={}, masks=None)
    assert set(_table(_rows(bare))["task"]) == {"tagging"}
    pooled = pool(_counts([bare, bare]))
    assert pooled.masks is pooled.frames is pooled.events is None


def test_a_fold_without_any_reference_adds_nothing_to_the_pooled_frames_and_events(fold):
    bare = dataclasses.replace(fold, reference={})
    one, (_, other) = _counts([fold]), _counts([fold, bare])
    pooled, alone = pool([*one, other]), pool(one)
    assert pooled.events == alone.events
    for gate in (False, True):
        np.testing.assert_array_equal(pooled.frames[gate].total, alone.frames[gate].total)


def test_clips_of_any_length_are_scored_frame_by_frame(fold):
    lengths = [20 - i % 7 for i in range(30)]
    ragged = dataclasses.replace(
        fold,
        frames=[clip[:n] for clip, n in zip(fold.frames, lengths, strict=True)],
        strong=[clip[:n] for clip, n in zip(fold.strong, lengths, strict=True)],
    )
    table = _table(_rows(ragged))
    scores = np.concatenate(ragged.frames)[:, 0].astype(np.float64)
    truth = np.concatenate(ragged.strong)[:, 0]
    expected = roc_auc_score(truth, scores)
    assert _value(table, "frame", "auc", CLASSES[0], "ungated") == pytest.approx(expected)
