"""Known answers of the onset prior: fixed slots, random onsets, perfect tags."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scored_fold import SETTINGS
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from tfseg.datasets.corpus_tables import mixture_labels
from tfseg.evaluation.onset_prior import TimeProbe, count_probe, make_probe, time_prior
from tfseg.evaluation.scoring import FoldScores, count_folds, fold_rows, pool, score_system
from tfseg.features.time_grid import TimeGrid
from tfseg.inference.events import EventSettings
from tfseg.inference.histogram import ScoreHistogram
from tfseg.mixing.remixing import plan_mixtures

CLASSES = ("Bark", "Chime", "Gong")
GRID = TimeGrid(sample_rate=1000, window_length=100, hop_length=100)  # frames of 0.1 s
N_FRAMES = 100
HYSTERESIS = EventSettings(0.2, 0.1, 2, 2)


def _plan(**changes):
    """Labels of the mixtures of two folds: events of 1.95 s, nine of each class and fold."""
    events = pd.DataFrame(
        [(f"{k}{i}-{f}", k, f, 0.0, 1.95) for k in CLASSES for i in range(9) for f in (1, 2)],
        columns=["path", "label", "fold", "start_s", "stop_s"],
    )
    scenes = pd.DataFrame(
        [("s1", 1, 10.0), ("s2", 2, 10.0)], columns=["path", "fold", "duration_s"]
    )
    settings = {
        "onsets_s": [2.0],
        "events_per_mixture": 1,
        "overlap": False,
        "kinds": ["mixture"],
        "scene_start": "beginning",
    }
    mixtures, mixture_events = plan_mixtures(
        events,
        scenes,
        folds=[1, 2],
        mixtures_per_fold=[300, 300],
        duration_s=10.0,
        max_event_s=2.0,
        seed=3,
        **settings | changes,
    )
    labels = mixture_labels(mixture_events, mixtures)
    return [{n: e for n, e in labels.items() if n.startswith(f"fold{f}")} for f in (1, 2)]


def _probed(trained_on, scored, tags=None):
    """A fold of a system whose tags are perfect, and its probe."""
    strong = np.stack([GRID.strong_labels(e, CLASSES, N_FRAMES) for e in scored.values()])
    target = strong.any(axis=1)
    tags = target.astype(np.float32) if tags is None else tags
    prior = time_prior(trained_on.values(), CLASSES, GRID, N_FRAMES)
    probe = make_probe(prior, list(scored), tags, CLASSES, GRID, HYSTERESIS, tag_threshold=0.1)
    return FoldScores(
        mixtures=list(scored),
        tags=tags,
        target=target,
        frames=strong.astype(np.float16),
        strong=strong,
        reference=scored,
        estimated={},
        probe=probe,
    )


def _macro(fold, settings=SETTINGS):
    """Macro values of the probe, by task and metric."""
    rows = fold_rows(count_folds({1: fold}, CLASSES, settings)[1], CLASSES, settings)
    return {
        (task, metric): value
        for task, metric, label, variant, value, _ in rows
        if variant == "time_index" and label == "macro"
    }


# The prior


def test_the_prior_of_one_slot_is_one_in_its_frames():
    prior = time_prior(_plan()[0].values(), CLASSES, GRID, N_FRAMES)
    expected = np.zeros((N_FRAMES, 3))
    expected[20:40] = 1  # 2.0 s to 3.95 s, both frames included
    np.testing.assert_array_equal(prior, expected)


def test_the_prior_of_three_slots_is_shared_among_them():
    labels, _ = _plan(onsets_s=[0.0, 3.0, 6.0])
    prior = time_prior(labels.values(), CLASSES, GRID, N_FRAMES)
    slots = prior[[10, 40, 70]]
    assert not prior[20:30].any()
    assert not prior[80:].any()
    assert (slots > 0.3).all()
    # In a mixture that has it two or three times, a class fills as many slots.
    times = [sum(k == e[0] for e in clip) for clip in labels.values() for k in CLASSES]
    assert slots.sum() / 3 == pytest.approx(np.mean([n for n in times if n]), abs=0.05)


def test_the_prior_of_random_onsets_is_nearly_flat():
    labels, _ = _plan(onsets_s="random", events_per_mixture=1)
    prior = time_prior(labels.values(), CLASSES, GRID, N_FRAMES)
    middle = prior[20:80].mean(axis=1)
    # 1.95 s of the 8.05 s in which an onset may lie.
    np.testing.assert_allclose(middle, 2.0 / 8.05, atol=0.08)
    assert prior.max() < 0.45
    assert prior[0].max() < 0.1  # only an onset in the first frame reaches it


def test_the_prior_is_of_the_mixtures_that_have_the_class():
    clips = [[("Bark", 0.0, 0.05)], [("Bark", 5.0, 5.05), ("Chime", 0.0, 0.05)], [], []]
    prior = time_prior(clips, CLASSES, GRID, N_FRAMES)
    assert (prior[0].tolist(), prior[50].tolist()) == ([0.5, 1, 0], [0.5, 0, 0])
    assert prior.sum() == 2
    late = time_prior([[("Gong", 10.0, 10.0)]], CLASSES, GRID, N_FRAMES)
    assert not late.any()  # behind the last frame


# Scores


def test_perfect_tags_and_one_slot_are_a_perfect_score_without_hearing_anything():
    fold = _probed(*_plan())
    assert fold.probe.estimated == {
        clip: [(label, 2.0, 4.0) for label, *_ in events] for clip, events in fold.reference.items()
    }
    values = _macro(fold)
    for key in (("frame", "f1"), ("frame", "auc"), ("frame", "map"), ("event", "f1")):
        assert values[key] == 1, key
    assert values["frame", "eer"] == values["event", "er"] == 0


def test_perfect_tags_and_no_knowledge_of_time_are_at_the_chance_level_of_the_docs():
    fold = _probed(*_plan(onsets_s="random"))
    flat = dataclasses.replace(fold.probe, prior=np.full((N_FRAMES, 3), 0.25, dtype=np.float16))
    values = _macro(dataclasses.replace(fold, probe=flat))
    clips = fold.target.mean(axis=0)
    frames = fold.strong.mean(axis=(0, 1)) / clips
    auc = 1 - clips * (1 - frames) / (2 * (1 - clips * frames))
    assert values["frame", "f1"] == pytest.approx((2 * frames / (1 + frames)).mean())
    assert values["frame", "map"] == pytest.approx(frames.mean())
    assert values["frame", "auc"] == pytest.approx(auc.mean())
    # With random onsets the probe is at chance: an event is a fifth of the mixture.
    assert _macro(fold)["frame", "map"] == pytest.approx(frames.mean(), abs=0.08)


@pytest.mark.parametrize("n_events", [1, 3])
def test_random_onsets_give_the_probe_less_than_fixed_ones(n_events):
    fixed = _macro(_probed(*_plan(onsets_s=[0.5, 3.0, 5.5][:n_events])))
    layout = {"onsets_s": "random", "events_per_mixture": n_events}
    for overlap in (True, False):
        drawn = _macro(_probed(*_plan(**layout, overlap=overlap)))
        for key in (("frame", "f1"), ("frame", "map"), ("frame", "auc"), ("event", "f1")):
            assert drawn[key] < fixed[key] - 0.02, key
    if n_events == 1:
        assert drawn["event", "f1"] < 0.1 < fixed["event", "f1"] == 1


@pytest.mark.parametrize("tag_gate", [True, False])
def test_frames_are_scikit_learns_of_the_prior_and_the_tags(tag_gate):
    rng = np.random.default_rng(0)
    trained_on, scored = _plan(onsets_s=[0.5, 3.0, 5.5])
    tags = rng.random((len(scored), 3)).astype(np.float32) ** 2
    tags[0] = np.float32(0.1)  # not above the threshold
    fold = _probed(trained_on, scored, tags)
    found = _macro(fold, dataclasses.replace(SETTINGS, tag_gate=tag_gate))
    above = tags[:, None] > np.float32(0.1)
    prior = fold.probe.prior.astype(np.float32)
    gated = np.where(above, prior, 0)
    ranked = (prior * tags[:, None]).astype(np.float16)
    ranked = np.where(above, ranked, 0) if tag_gate else ranked
    expected = {"f1": [], "auc": [], "map": []}
    for k in range(3):
        truth = fold.strong[..., k].ravel()
        expected["f1"].append(f1_score(truth, gated[..., k].ravel() > np.float16(0.1)))
        expected["auc"].append(roc_auc_score(truth, ranked[..., k].ravel()))
        expected["map"].append(average_precision_score(truth, ranked[..., k].ravel()))
    for metric, values in expected.items():
        assert found["frame", metric] == pytest.approx(np.mean(values))


def test_a_class_that_the_system_does_not_tag_is_not_found():
    trained_on, scored = _plan()
    fold = _probed(trained_on, scored, np.zeros((len(scored), 3), dtype=np.float32))
    values = _macro(fold)
    assert values["frame", "f1"] == values["event", "f1"] == 0
    assert set(map(tuple, fold.probe.estimated.values())) == {()}


def test_the_thresholds_are_those_of_the_settings():
    trained_on, scored = _plan(onsets_s=[0.0, 3.0, 6.0])  # a prior of about 0.4 in three slots
    fold = _probed(trained_on, scored)
    assert _macro(fold)["frame", "recall"] == 1
    assert _macro(fold, dataclasses.replace(SETTINGS, frame_threshold=0.6))["frame", "recall"] == 0
    deaf = make_probe(
        fold.probe.prior, fold.mixtures, fold.tags, CLASSES, GRID,
        dataclasses.replace(HYSTERESIS, high_threshold=0.6), tag_threshold=0.1,
    )  # fmt: skip
    assert not any(deaf.estimated.values())


# Among the other rows


def test_folds_have_rows_and_pool_as_other_scores_do():
    one, two = _plan(onsets_s=[0.5, 3.0, 5.5])
    folds = {1: _probed(two, one), 2: _probed(one, two)}
    metrics = score_system(folds, CLASSES, SETTINGS, snr_db=0, system="gwrp", seed=0)
    part = metrics[metrics["variant"] == "time_index"]
    assert set(part["fold"]) == {"1", "2", "all", "pooled"}
    rates = {"f1", "precision", "recall", "er", "deletion", "insertion"}
    assert {(t, m) for t, m in zip(part["task"], part["metric"], strict=True)} == {
        *(("frame", m) for m in ("f1", "precision", "recall", "auc", "map", "eer")),
        *(("event", m) for m in rates),
    }
    assert set(part["class"]) == {*CLASSES, "macro"}
    counts = list(count_folds(folds, CLASSES, SETTINGS).values())
    together = counts[0].probe + counts[1].probe
    pooled = pool(counts).probe
    np.testing.assert_array_equal(pooled.ranked.total, together.ranked.total)
    assert pooled.events == together.events
    n_frames = sum(fold.strong[..., 0].sum() for fold in folds.values())
    row = part.query(
        "fold == 'pooled' and task == 'frame' and metric == 'f1' and `class` == 'Bark'"
    )
    assert row["n"].item() == n_frames
    # A system's own rows do not depend on the probe.
    plain = {f: dataclasses.replace(fold, probe=None) for f, fold in folds.items()}
    without = score_system(plain, CLASSES, SETTINGS, snr_db=0, system="gwrp", seed=0)
    rest = metrics[metrics["variant"] != "time_index"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rest, without, check_exact=True)


def test_counting_takes_every_clip_once():
    probe = TimeProbe(np.full((N_FRAMES, 3), 0.5, dtype=np.float16), {})
    strong = [np.zeros((N_FRAMES, 3), dtype=bool)] * 4
    tags = np.float32([[1, 0, 0.5]] * 4)
    counts = count_probe(probe, tags, strong, None, tag_threshold=0.1, tag_gate=True)
    for histogram in (counts.at_threshold, counts.ranked):
        assert isinstance(histogram, ScoreHistogram)
        assert (histogram.total.sum(axis=1) == 4 * N_FRAMES).all()
    assert counts.at_threshold.above(0.4)[0].tolist() == [400, 0, 400]
    assert counts.ranked.above(0.4)[0].tolist() == [400, 0, 0]
