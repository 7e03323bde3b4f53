import itertools

import numpy as np
import pandas as pd
import pytest

from tfseg.evaluation import intersection
from tfseg.evaluation.intersection import (
    PsdsCounts,
    count_intersections,
    intersection_f1_metrics,
    join_connected,
    match_intersections,
    psds_metrics,
)
from tfseg.evaluation.records import COLUMNS
from tfseg.evaluation.scoring import FoldScores
from tfseg.features.time_grid import TimeGrid

CLASSES = ["Bark", "Chime", "on\\set"]  # names that the package reserves
GRID = TimeGrid(sample_rate=1000, window_length=100, hop_length=100)
KEYS = {"snr_db": 0.0, "system": "gwrp", "seed": 0}
needs_psds = pytest.mark.skipif(
    not intersection.has_psds(), reason="sed_scores_eval is not installed: it needs a C compiler"
)


def _overlap(one, two):
    return max(0.0, min(one[1], two[1]) - max(one[0], two[0]))


def _by_hand(reference, estimated, tolerance):
    """The criteria of Bilen et al. (2020), pair by pair."""
    counts = [
        est
        for est in estimated
        if sum(_overlap(est, ref) for ref in reference) >= tolerance * (est[1] - est[0]) - 1e-9
    ]
    hit = [
        ref
        for ref in reference
        if sum(_overlap(ref, est) for est in counts) >= tolerance * (ref[1] - ref[0]) - 1e-9
    ]
    return len(hit), len(estimated) - len(counts)


def _events(rng, n):
    """Events in steps of a tenth of a second, none of which overlap."""
    edges = np.sort(rng.choice(100, 2 * n, replace=False)) / 10
    return edges.reshape(-1, 2)


@pytest.mark.parametrize("tolerance", [0.1, 0.5, 0.7, 1.0])
def test_every_pair_of_lists_is_matched_as_by_hand(tolerance):
    rng = np.random.default_rng(0)
    for _ in range(300):
        reference, estimated = _events(rng, rng.integers(4)), _events(rng, rng.integers(5))
        found = match_intersections(reference, estimated, tolerance)
        assert found == _by_hand(reference.tolist(), estimated.tolist(), tolerance)


@pytest.mark.parametrize(
    ("estimated", "expected"),
    [
        ([(1.0, 2.0)], (1, 0)),  # exactly half of the reference
        ([(1.0, 1.9)], (0, 0)),  # less: it lies within, so that it is no false one
        ([(1.0, 1.4), (2.0, 2.6)], (1, 0)),  # two pieces together
        ([(0.0, 2.0)], (1, 0)),  # half of it lies within
        ([(0.0, 1.9)], (0, 1)),  # less: false, and of no help
        ([(5.0, 6.0)], (0, 1)),
        ([], (0, 0)),
    ],
)
def test_known_cases_with_a_reference_from_one_to_three_seconds(estimated, expected):
    estimated = np.array(estimated, dtype=float).reshape(-1, 2)
    assert match_intersections(np.array([[1.0, 3.0]]), estimated) == expected


def test_one_detection_may_find_two_events():
    reference = np.array([[1.0, 2.0], [2.5, 3.5]])
    assert match_intersections(reference, np.array([[1.0, 3.5]])) == (2, 0)


def test_connected_events_of_a_class_are_one():
    events = [("b", 2.0, 3.0), ("a", 0.0, 1.0), ("a", 1.0, 1.5), ("a", 1.2, 1.3), ("b", 4.0, 4.0)]
    assert join_connected(events) == [("a", 0.0, 1.5), ("b", 2.0, 3.0)]


def test_clips_are_counted_on_their_own_and_only_those_of_known_times():
    reference = {"a": [("Bark", 0.0, 1.0), ("Chime", 0.0, 1.0)], "b": []}
    estimated = {"a": [("Bark", 0.0, 0.9)], "b": [("Chime", 0.0, 1.0)], "c": [("Bark", 0.0, 1.0)]}
    predicted, positive, hit = count_intersections("abc", reference, estimated, CLASSES)
    assert predicted.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert positive.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert hit.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]


def _runs(active):
    """First frame of each run of true ones, and the one after its last."""
    return np.flatnonzero(np.diff(np.r_[0, active, 0])).reshape(-1, 2)


def _scores(names, frames, reference, estimated):
    """A fold of which tags and frames' references say nothing."""
    nothing = np.zeros((len(names), len(CLASSES)))
    return FoldScores(names, nothing, nothing > 0, frames, frames, reference, estimated)


def _fold(seed, n=8, n_frames=60):
    """Scores that are higher during events; the last clip has none."""
    rng = np.random.default_rng(seed)
    names = [f"m{seed}-{i}" for i in range(n)]
    reference, frames = {}, {}
    for name in names:
        frames[name] = (rng.integers(0, 40, (n_frames, 3)) / 100).astype(np.float16)
        reference[name] = []
        for k, label in enumerate(CLASSES[: 2 if seed == 2 else 3]):  # fold 2 lacks a class
            if name != names[-1] and rng.random() < 0.7:
                onset = rng.integers(0, 30) / 10
                reference[name].append((label, onset, onset + 1.5))
                first = int(onset * 10) + rng.integers(-3, 4)
                frames[name][max(first, 0) : first + 15, k] += np.float16(0.3)
    estimated = {
        name: [
            (CLASSES[k], GRID.time_at(int(first)), GRID.time_at(int(stop)))
            for k in range(3)
            for first, stop in _runs(frames[name][:, k] > 0.305)
        ]
        for name in names
    }
    return _scores(names, list(frames.values()), reference, estimated)


@pytest.fixture
def folds():
    return {1: _fold(1), 2: _fold(2)}


def _values(metrics, metric, label="macro"):
    found = metrics[(metrics["metric"] == metric) & (metrics["class"] == label)]
    return found.set_index("fold")[["value", "n"]]


def test_f1_is_pooled_and_averaged(folds):
    metrics = intersection_f1_metrics(folds, CLASSES, **KEYS)
    assert list(metrics.columns) == COLUMNS
    assert set(metrics["variant"]) == {"published"}
    for label in CLASSES:
        totals = []
        for fold in folds.values():
            counts = np.zeros(3)
            for clip, events in fold.reference.items():
                ref, est = (
                    [e[1:] for e in x if e[0] == label] for x in (events, fold.estimated[clip])
                )
                hit, false = _by_hand(ref, est, 0.5)
                counts += hit + false, len(ref), hit
            totals.append(counts)
        found = _values(metrics, "intersection_f1", label)
        for name, (predicted, positive, hit) in zip(
            ["1", "2", "pooled"], [*totals, sum(totals)], strict=True
        ):
            expected = 2 * hit / (predicted + positive) if positive else np.nan
            assert found["value"][name] == pytest.approx(expected, nan_ok=True)
            assert found["n"][name] == positive
    macro = _values(metrics, "intersection_f1")
    assert macro["n"].to_dict() == {"1": 3, "2": 2, "all": 3, "pooled": 3}
    assert macro["value"]["all"] == pytest.approx(macro["value"][["1", "2"]].mean())


@needs_psds
def test_f1_is_sed_scores_evals_at_a_threshold(folds):
    from sed_scores_eval.base_modules.scores import create_score_dataframe
    from sed_scores_eval.intersection_based import fscore

    fold = folds[1]
    times = np.array([GRID.time_at(i) for i in range(61)])
    names = ["0", "1", "2"]
    scores = {
        clip: create_score_dataframe(frames.astype(float), times, names)
        for clip, frames in zip(fold.mixtures, fold.frames, strict=True)
    }
    truth = {
        clip: [(on, off, str(CLASSES.index(label))) for label, on, off in events]
        for clip, events in fold.reference.items()
    }
    expected, *_ = fscore(scores, truth, 0.305, dtc_threshold=0.5, gtc_threshold=0.5)
    metrics = intersection_f1_metrics({1: fold}, CLASSES, **KEYS)
    for k, label in enumerate(CLASSES):
        found = _values(metrics, "intersection_f1", label)["value"]["1"]
        assert found == pytest.approx(expected[str(k)], abs=1e-12)


def _roc_psds(fold, tolerance, duration_s):
    """PSDS without cross-triggers, threshold by threshold (Bilen et al., section 4)."""
    hours = duration_s * len(fold.mixtures) / 3600
    curves, edges = [], {0.0}
    for k, label in enumerate(CLASSES):
        points = []
        n_reference = sum(e[0] == label for events in fold.reference.values() for e in events)
        if not n_reference:
            continue
        for threshold in np.unique([f[:, k] for f in fold.frames]) - 1e-3:
            hits = false = 0
            for clip, frames in zip(fold.mixtures, fold.frames, strict=True):
                runs = _runs(frames[:, k] > threshold) / 10
                ref = [e[1:] for e in fold.reference[clip] if e[0] == label]
                hit, wrong = _by_hand(ref, runs.tolist(), tolerance)
                hits, false = hits + hit, false + wrong
            points.append((false / hours, hits / n_reference))
        curves.append(points)
        edges |= {rate for rate, _ in points if rate <= 100}
    edges = [*sorted(edges), 100.0]
    area = 0.0
    for left, right in itertools.pairwise(edges):
        rates = [max([tpr for efpr, tpr in points if efpr <= left], default=0) for points in curves]
        area += max(np.mean(rates) - np.std(rates), 0) * (right - left)
    return area / 100


@needs_psds
def test_psds1_is_the_area_under_the_curve_of_all_thresholds(folds):
    durations = {clip: 300.0 for fold in folds.values() for clip in fold.mixtures}
    metrics = psds_metrics(folds, CLASSES, GRID, durations, **KEYS)
    found = _values(metrics, "psds1")
    for name, fold in folds.items():
        expected = _roc_psds(fold, 0.7, 300.0)
        assert 0.05 < expected < 0.95
        assert found["value"][str(name)] == pytest.approx(expected, abs=1e-9)
    assert found["n"].to_dict() == {"1": 3, "2": 2, "all": 3, "pooled": 3}
    assert set(metrics["variant"]) == {"ungated"}
    assert set(metrics["class"]) == {"macro"}


@needs_psds
def test_psds_of_some_clips_is_that_of_these_clips_alone(folds):
    frames, reference = {}, {}
    for fold in folds.values():
        frames |= dict(zip(fold.mixtures, fold.frames, strict=True))
        reference |= fold.reference
    durations = dict.fromkeys(frames, 300.0)
    counts = PsdsCounts(frames, reference, durations, CLASSES, GRID)
    for fold in folds.values():  # fold 2 lacks a class, whose cross-triggers are none there
        alone = PsdsCounts(frames, fold.reference, durations, CLASSES, GRID)
        assert counts.score(fold.mixtures) == alone.score()
    pooled, n_classes = counts.score()
    assert n_classes == 3
    assert all(0 < value < 1 for value in pooled.values())


@needs_psds
def test_perfect_scores_have_a_psds_of_one_and_none_has_none():
    fold = _fold(1)
    perfect = {
        clip: GRID.strong_labels(
            [(label, on, off - 0.05) for label, on, off in events], CLASSES, 60
        ).astype(np.float16)
        for clip, events in fold.reference.items()
    }
    durations = dict.fromkeys(perfect, 6.0)
    values, _ = PsdsCounts(perfect, fold.reference, durations, CLASSES, GRID).score()
    assert values == {"psds1": 1.0, "psds2": 1.0}
    silent = {clip: [] for clip in fold.reference}
    values, n_classes = PsdsCounts(perfect, silent, durations, CLASSES, GRID).score()
    assert n_classes == 0
    assert np.isnan(list(values.values())).all()


@needs_psds
def test_one_class_alone_can_trigger_no_other():
    fold = _fold(1)
    only = {clip: [e for e in v if e[0] == "Bark"] for clip, v in fold.reference.items()}
    frames = dict(zip(fold.mixtures, fold.frames, strict=True))
    values, n_classes = PsdsCounts(
        frames, only, dict.fromkeys(frames, 300.0), CLASSES, GRID
    ).score()
    assert n_classes == 1
    assert np.isfinite(list(values.values())).all()


def test_without_known_times_there_are_no_rows():
    fold = _scores(["a"], [np.zeros((4, 3))], {}, {})
    assert isinstance(intersection_f1_metrics({1: fold}, CLASSES, **KEYS), pd.DataFrame)
    assert intersection_f1_metrics({1: fold}, CLASSES, **KEYS).empty
    assert psds_metrics({1: fold}, CLASSES, GRID, {}, **KEYS).empty
