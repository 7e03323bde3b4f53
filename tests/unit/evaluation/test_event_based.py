import numpy as np
import pytest
import sed_eval
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from tfseg.evaluation import event_based
from tfseg.evaluation.event_based import (
    count_events,
    count_events_by_clip,
    count_events_by_fold,
    event_scores,
)

CLASSES = ("Bark", "Gong", "Chime")


def _score(reference, estimated, classes=CLASSES, collar_s=0.2, offset_fraction=0.5):
    counts = count_events(
        reference, estimated, classes=classes, collar_s=collar_s, offset_fraction=offset_fraction
    )
    return event_scores(counts)


def _macro(values):
    return np.nanmean(values)


def test_a_perfect_detection():
    events = {"a": [("Bark", 1.0, 2.0), ("Gong", 1.5, 3.0)], "b": [("Chime", 0.0, 0.5)]}
    by_class, overall, n_reference = _score(events, events)
    for name in ("f1", "precision", "recall"):
        np.testing.assert_allclose(by_class[name], 1)
        assert overall[name] == pytest.approx(1)
    for name in ("er", "deletion", "insertion"):
        np.testing.assert_allclose(by_class[name], 0)
        assert overall[name] == 0
    assert overall["substitution"] == 0
    assert n_reference.tolist() == [1, 1, 1]


def test_one_class_found_and_two_missed_is_a_third():
    # The pitfall: sed_eval's own macro average leaves out classes that were never detected.
    reference = {"a": [("Bark", 1, 2), ("Gong", 3, 4), ("Chime", 5, 6)]}
    by_class, overall, _ = _score(reference, {"a": [("Bark", 1, 2)]})
    np.testing.assert_allclose(by_class["f1"], [1, 0, 0])
    assert _macro(by_class["f1"]) == pytest.approx(1 / 3)
    np.testing.assert_allclose(by_class["precision"], [1, 0, 0])
    np.testing.assert_allclose(by_class["recall"], [1, 0, 0])
    np.testing.assert_allclose(by_class["er"], [0, 1, 1])
    assert overall["recall"] == pytest.approx(1 / 3)
    assert overall["f1"] == pytest.approx(0.5)


def test_a_class_without_reference_has_no_value_even_when_it_was_detected():
    reference = {"a": [("Bark", 1, 2)]}
    estimated = {"a": [("Bark", 1, 2), ("Gong", 3, 4)]}
    by_class, overall, n_reference = _score(reference, estimated)
    for values in by_class.values():
        np.testing.assert_array_equal(np.isnan(values), [False, True, True])
    assert n_reference.tolist() == [1, 0, 0]
    assert overall["insertion"] == pytest.approx(1)  # it counts where classes do not


@pytest.mark.parametrize(
    ("onset", "offset", "hit"),
    [
        (1.19, 2.0, True),
        (0.81, 2.0, True),
        (1.21, 2.0, False),
        (0.79, 2.0, False),
        (1.0, 2.49, True),  # half of the reference's second
        (1.0, 1.51, True),
        (1.0, 2.51, False),
        (1.0, 1.49, False),
    ],
)
def test_the_collars_of_a_long_event(onset, offset, hit):
    by_class, _, _ = _score({"a": [("Bark", 1.0, 2.0)]}, {"a": [("Bark", onset, offset)]})
    assert by_class["f1"][0] == hit


@pytest.mark.parametrize(("offset", "hit"), [(1.29, True), (1.31, False), (1.05, True)])
def test_the_offset_of_a_short_event_may_differ_by_the_collar(offset, hit):
    by_class, _, _ = _score({"a": [("Bark", 1.0, 1.1)]}, {"a": [("Bark", 1.0, offset)]})
    assert by_class["f1"][0] == hit


def test_collar_and_fraction_are_settings():
    reference, estimated = {"a": [("Bark", 1.0, 3.0)]}, {"a": [("Bark", 1.3, 3.5)]}
    for collar_s, fraction, hit in ((0.2, 0.5, 0), (0.4, 0.5, 1), (0.4, 0.1, 0), (0.6, 0.1, 1)):
        by_class, _, _ = _score(reference, estimated, collar_s=collar_s, offset_fraction=fraction)
        assert by_class["f1"][0] == hit


def test_the_error_rate_of_a_class_is_deletion_plus_insertion():
    reference = {"a": [("Bark", 1, 2), ("Bark", 4, 5)], "b": [("Bark", 1, 2), ("Bark", 6, 7)]}
    estimated = {"a": [("Bark", 1, 2), ("Bark", 8, 9)], "b": [("Bark", 3, 4), ("Bark", 9, 10)]}
    by_class, _, _ = _score(reference, estimated)
    assert by_class["deletion"][0] == pytest.approx(3 / 4)
    assert by_class["insertion"][0] == pytest.approx(3 / 4)
    assert by_class["er"][0] == pytest.approx(6 / 4)  # may exceed one
    assert by_class["f1"][0] == pytest.approx(1 / 4)


def test_overall_a_wrong_label_is_one_substitution():
    reference = {"a": [("Bark", 1, 2), ("Gong", 4, 5)]}
    estimated = {"a": [("Gong", 1, 2), ("Gong", 4, 5)]}
    by_class, overall, _ = _score(reference, estimated)
    assert overall["substitution"] == pytest.approx(0.5)
    assert overall["deletion"] == 0
    assert overall["insertion"] == 0
    assert overall["er"] == pytest.approx(0.5)
    # By class it is a deletion here and an insertion there.
    np.testing.assert_allclose(by_class["er"][:2], [1, 1])


def test_clips_are_matched_one_by_one():
    by_class, _, _ = _score({"a": [("Bark", 1, 2)], "b": []}, {"b": [("Bark", 1, 2)]})
    assert by_class["f1"][0] == 0
    assert by_class["er"][0] == pytest.approx(2)


def test_clips_without_reference_or_without_output_count():
    reference = {"a": [("Bark", 1, 2)], "b": [], "c": [("Bark", 1, 2)], "d": []}
    estimated = {"a": [("Bark", 1, 2)], "b": [("Bark", 3, 4)], "d": []}  # c is not in it
    by_class, _, n_reference = _score(reference, estimated)
    assert by_class["deletion"][0] == pytest.approx(1 / 2)
    assert by_class["insertion"][0] == pytest.approx(1 / 2)
    assert by_class["precision"][0] == pytest.approx(1 / 2)
    assert n_reference.tolist() == [2, 0, 0]


def test_no_output_at_all_scores_zero():
    by_class, overall, _ = _score({"a": [("Bark", 1, 2)], "b": [("Gong", 1, 2)]}, {})
    np.testing.assert_array_equal(by_class["f1"], [0, 0, np.nan])
    np.testing.assert_allclose(by_class["er"], [1, 1, np.nan])
    assert overall["f1"] == 0
    assert overall["er"] == pytest.approx(1)


def test_an_event_that_is_found_twice_is_one_hit_and_one_insertion():
    reference = {"a": [("Bark", 1, 2)]}
    by_class, _, _ = _score(reference, {"a": [("Bark", 1, 2), ("Bark", 1.1, 2)]})
    assert by_class["recall"][0] == 1
    assert by_class["precision"][0] == pytest.approx(1 / 2)
    assert by_class["insertion"][0] == pytest.approx(1)


def test_the_matching_is_the_best_one():
    # The estimate at 0.3 fits both references, that at 0.1 only the first.
    reference = {"a": [("Bark", 0.2, 5), ("Bark", 0.4, 5)]}
    for estimated in ([0.3, 0.1], [0.1, 0.3]):
        by_class, _, _ = _score(reference, {"a": [("Bark", onset, 5) for onset in estimated]})
        assert by_class["f1"][0] == 1


def _random_clips(seed, shift_s):
    """References, and estimates that are shifted copies, false alarms and confusions."""
    rng = np.random.default_rng(seed)
    reference, estimated = {}, {}
    for clip in map(str, range(25)):
        reference[clip], estimated[clip] = [], []
        for _ in range(rng.integers(0, 5)):
            label = CLASSES[rng.integers(3)]
            onset = rng.uniform(0, 8)
            offset = onset + rng.uniform(0.1, 2)
            reference[clip].append((label, onset, offset))
            if rng.random() < 0.7:
                if rng.random() < 0.2:
                    label = CLASSES[rng.integers(3)]
                onset = max(onset + rng.normal(0, shift_s), 0)
                offset = max(offset + rng.normal(0, 3 * shift_s), onset + 0.05)
                estimated[clip].append((label, onset, offset))
        for _ in range(rng.integers(0, 2)):
            onset = rng.uniform(0, 8)
            estimated[clip].append((CLASSES[rng.integers(3)], onset, onset + rng.uniform(0.1, 2)))
    return reference, estimated


def _hits(reference, estimated):
    """Largest number of pairs that fit, by scipy's matching of bipartite graphs."""
    if not reference or not estimated:
        return 0
    fits = np.array(
        [
            [
                abs(on - ref_on) <= 0.2 and abs(off - ref_off) <= max(0.2, (ref_off - ref_on) / 2)
                for _, on, off in estimated
            ]
            for _, ref_on, ref_off in reference
        ]
    )
    return int((maximum_bipartite_matching(csr_matrix(fits)) >= 0).sum())


@pytest.mark.parametrize("seed", range(4))
def test_random_clips_agree_with_counts_by_hand(seed):
    reference, estimated = _random_clips(seed, 0.1)
    by_class, _, n_reference = _score(reference, estimated)
    for k, label in enumerate(CLASSES):
        n_ref = n_est = hits = 0
        for clip in reference:
            ref = [event for event in reference[clip] if event[0] == label]
            est = [event for event in estimated[clip] if event[0] == label]
            n_ref, n_est, hits = n_ref + len(ref), n_est + len(est), hits + _hits(ref, est)
        assert 0 < hits < n_ref
        assert n_reference[k] == n_ref
        assert by_class["recall"][k] == pytest.approx(hits / n_ref)
        assert by_class["precision"][k] == pytest.approx(hits / n_est)
        assert by_class["f1"][k] == pytest.approx(2 * hits / (n_ref + n_est))
        assert by_class["deletion"][k] == pytest.approx((n_ref - hits) / n_ref)
        assert by_class["insertion"][k] == pytest.approx((n_est - hits) / n_ref)
        assert by_class["er"][k] == pytest.approx((n_ref + n_est - 2 * hits) / n_ref)


# Against plain sed_eval: one evaluator for all clips, which walks through all classes.

WITH_EMPTY = ("Oboe", *CLASSES, "Meow")  # Oboe never occurs
SETTINGS = {"classes": WITH_EMPTY, "collar_s": 0.2, "offset_fraction": 0.5}


def _hard_clips(seed, n_clips=40, prefix=""):
    """Clips with overlaps of one label, with labels that are no class, and without events."""
    rng = np.random.default_rng(seed)

    def event(labels):
        onset = round(rng.uniform(0, 3), 2)
        return labels[rng.integers(len(labels))], onset, round(onset + rng.uniform(0.05, 2), 2)

    reference, estimated = {}, {}
    for clip in (f"{prefix}{i}" for i in range(n_clips)):
        reference[clip] = [event(CLASSES) for _ in range(rng.integers(0, 8))]
        shifted = [
            (label, max(onset + rng.normal(0, 0.15), 0), offset + rng.normal(0, 0.3))
            for label, onset, offset in reference[clip]
            if rng.random() < 0.7
        ]
        false_alarms = [
            event((*CLASSES, "Meow", "no class")) for _ in range(max(rng.integers(-3, 6), 0))
        ]
        if rng.random() < 0.9:  # the others are not in the estimates at all
            estimated[clip] = shifted + false_alarms
    reference[f"{prefix}silent"], estimated[f"{prefix}silent"] = [], []
    return reference, estimated


def _plain_sed_eval(reference, estimated):
    metrics = sed_eval.sound_event.EventBasedMetrics(
        event_label_list=list(WITH_EMPTY),
        t_collar=0.2,
        percentage_of_length=0.5,
        empty_system_output_handling="zero_score",
        event_matching_type="optimal",
    )

    def listed(events):
        return [{"event_label": k, "event_onset": a, "event_offset": b} for k, a, b in events]

    for clip in reference:
        metrics.evaluate(listed(reference[clip]), listed(estimated.get(clip, [])))
    return metrics


def _assert_plain_sed_evals(counts, metrics):
    assert counts.by_class == metrics.class_wise
    assert counts.overall == metrics.overall
    by_class, overall, n_reference = event_scores(counts)
    theirs = {"overall": metrics.results_overall_metrics(), **metrics.results_class_wise_metrics()}
    for name, group, field in (
        ("f1", "f_measure", "f_measure"),
        ("precision", "f_measure", "precision"),
        ("recall", "f_measure", "recall"),
        ("er", "error_rate", "error_rate"),
        ("deletion", "error_rate", "deletion_rate"),
        ("insertion", "error_rate", "insertion_rate"),
    ):
        np.testing.assert_equal(overall[name], theirs["overall"][group][field])
        expected = [
            theirs[label][group][field] if n else np.nan
            for label, n in zip(WITH_EMPTY, n_reference, strict=True)
        ]
        np.testing.assert_array_equal(by_class[name], expected)
    np.testing.assert_equal(
        overall["substitution"], theirs["overall"]["error_rate"]["substitution_rate"]
    )


@pytest.mark.parametrize("seed", range(6))
def test_numbers_are_exactly_those_of_plain_sed_eval(seed):
    reference, estimated = _hard_clips(seed)
    counts = count_events(reference, estimated, **SETTINGS)
    _assert_plain_sed_evals(counts, _plain_sed_eval(reference, estimated))
    assert counts.by_class["Meow"]["Nsys"] > 0
    assert counts.overall["Nsys"] > sum(of_class["Nsys"] for of_class in counts.by_class.values())
    assert counts.overall["Nsubs"] > 0
    assert 0 < counts.overall["Ntp"] < counts.overall["Nref"]
    assert not any(counts.by_class["Oboe"].values())


@pytest.fixture
def many_folds():
    """Two folds of several tasks each, and one without any clip."""
    return {1: _hard_clips(1, 270, "a"), 2: _hard_clips(2, 510, "b"), 3: ({}, {})}


def test_the_sum_of_the_folds_is_plain_sed_eval_on_all_clips(many_folds):
    counts = count_events_by_fold(many_folds, **SETTINGS)
    for fold, (reference, estimated) in many_folds.items():
        _assert_plain_sed_evals(counts[fold], _plain_sed_eval(reference, estimated))
    reference = {k: v for fold in many_folds.values() for k, v in fold[0].items()}
    estimated = {k: v for fold in many_folds.values() for k, v in fold[1].items()}
    total = counts[1] + counts[2] + counts[3]
    _assert_plain_sed_evals(total, _plain_sed_eval(reference, estimated))


def test_the_number_of_processes_changes_nothing(many_folds, monkeypatch):
    one = count_events_by_fold(many_folds, processes=1, **SETTINGS)
    monkeypatch.setattr(event_based, "CLIPS_FOR_PROCESSES", 2)
    assert count_events_by_fold(many_folds, processes=2, **SETTINGS) == one


def test_few_clips_start_no_process(many_folds, monkeypatch):
    def start(*args, **kwargs):
        raise AssertionError("a process was started")

    monkeypatch.setattr(event_based.concurrent.futures, "ProcessPoolExecutor", start)
    n_clips = sum(len(reference) for reference, _ in many_folds.values())
    assert n_clips < event_based.CLIPS_FOR_PROCESSES
    count_events_by_fold(many_folds, processes=2, **SETTINGS)
    monkeypatch.setattr(event_based, "CLIPS_FOR_PROCESSES", n_clips)
    with pytest.raises(AssertionError, match="was started"):
        count_events_by_fold(many_folds, processes=2, **SETTINGS)


def test_values_follow_the_order_of_the_classes():
    reference = {"a": [("Bark", 1, 2), ("Gong", 3, 4)]}
    estimated = {"a": [("Bark", 1, 2)]}
    by_class, _, n_reference = _score(reference, estimated, classes=("Gong", "Bark"))
    assert by_class["f1"].tolist() == [0, 1]
    assert n_reference.tolist() == [1, 1]


def test_the_input_is_left_as_it_was():
    reference, estimated = {"a": [("Bark", 1, 2)]}, {"a": [("Bark", 1, 2)]}
    _score(reference, estimated)
    assert reference == {"a": [("Bark", 1, 2)]} == estimated


def test_counts_of_clips_are_those_of_each_clip_alone_and_add_up():
    rng = np.random.default_rng(3)
    classes = ["a", "b", "c"]

    def events(n):
        onsets = rng.integers(0, 20, n) / 10
        return [(classes[rng.integers(3)], on, on + 0.5) for on in onsets]

    reference = {f"m{i}": events(rng.integers(4)) for i in range(20)}
    estimated = {f"m{i}": events(rng.integers(4)) for i in range(3, 20)}
    settings = {"classes": classes, "collar_s": 0.2, "offset_fraction": 0.5}
    counts = count_events_by_clip(reference, estimated, **settings)
    for i, clip in enumerate(reference):
        alone = count_events({clip: reference[clip]}, estimated, **settings).by_class
        for k, label in enumerate(classes):
            found = [int(part[i, k]) for part in counts]
            assert found == [alone[label][name] for name in ("Nsys", "Nref", "Ntp")]
    together = count_events(reference, estimated, **settings).by_class
    for part, name in zip(counts, ("Nsys", "Nref", "Ntp"), strict=True):
        assert part.sum(axis=0).tolist() == [together[label][name] for label in classes]
