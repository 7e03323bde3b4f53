import time
from dataclasses import replace

import numpy as np
import pytest

from tfseg.evaluation.event_based import count_events
from tfseg.evaluation.scoring import FoldScores
from tfseg.features.time_grid import TimeGrid
from tfseg.inference.events import CHANGE_POINTS, EventSettings, detect_events
from tfseg.inference.histogram import ScoreHistogram
from tfseg.inference.operating_point import DetectionSettings
from tfseg.inference.tuning import EventSearch, Matcher, best_threshold, tune

GRID = TimeGrid(sample_rate=32000, window_length=2048, hop_length=1024)
EVENTS = EventSettings(0.2, 0.1, 3, 2)
FIXED = DetectionSettings(0.1, True, 0.1, 0.1, EVENTS)
COLLARS = {"collar_s": 0.2, "offset_fraction": 0.5}
CLASSES = ("Bark", "Chime", "Gong")


def _counts(scores, positive):
    values, place = np.unique(scores, return_inverse=True)
    return values, np.bincount(place), np.bincount(place[positive], minlength=len(values))


def _f1(scores, positive, threshold):
    above = scores > scores.dtype.type(threshold)
    return 2 * (above & positive).sum() / (above.sum() + positive.sum())


# One threshold


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("seed", range(20))
def test_no_threshold_is_better_than_the_best(seed, dtype):
    rng = np.random.default_rng(seed)
    scores = (rng.random(40) ** rng.integers(1, 5)).astype(dtype)
    if seed % 2:
        scores = np.round(scores, 1)
    positive = rng.random(40) < scores
    positive[0] = True
    threshold, f1 = best_threshold(*_counts(scores, positive))
    assert 0 <= threshold < 1
    assert _f1(scores, positive, threshold) == f1
    every = [_f1(scores, positive, t) for t in [0, *np.unique(scores)]]
    assert f1 == pytest.approx(max([*every, _f1(scores + dtype(1), positive, 0)]), abs=1e-15)


def test_a_threshold_lies_in_the_middle_of_what_is_as_good():
    scores = np.array([0.1, 0.25, 0.75, 0.9], dtype=np.float32)
    positive = np.array([False, False, True, True])
    assert best_threshold(*_counts(scores, positive)) == (0.5, 1.0)
    # All positive: from zero to the lowest score.
    assert best_threshold(*_counts(scores, np.full(4, True))) == (pytest.approx(0.05), 1.0)


def test_of_several_ranges_the_widest_is_taken():
    # Above 0.2: 2 of 3 hits, 3 found. Above 0.9 (of 1): 1 of ... both have F1 2/3.
    scores = np.array([0.0, 0.125, 0.25, 0.5, 1.0], dtype=np.float32)
    positive = np.array([False, True, False, False, True])
    curve = [_f1(scores, positive, t) for t in (0.06, 0.2, 0.4, 0.75)]
    assert curve[0] == curve[3] == max(curve)
    assert best_threshold(*_counts(scores, positive)) == (0.75, pytest.approx(2 / 3))


def test_a_range_between_neighbouring_numbers_is_not_missed():
    low = np.float16(0.3)
    scores = np.array([low, np.nextafter(low, np.float16(1))])
    threshold, f1 = best_threshold(*_counts(scores, np.array([False, True])))
    assert (threshold, f1) == (float(low), 1.0)


# Matching


def _random_events(rng, n_clips, most=5):
    clips = []
    for _ in range(n_clips):
        onsets = np.sort(rng.integers(0, 60, rng.integers(0, most))) / 10  # borders on the collar
        clips.append([(float(a), float(a + rng.integers(1, 20) / 10)) for a in onsets])
    return clips


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("collar_s", [0.2, 1.0])
def test_matched_events_are_counted_as_sed_eval_counts_them(seed, collar_s):
    rng = np.random.default_rng(seed)
    reference, estimated = _random_events(rng, 12, 7), _random_events(rng, 12, 7)
    collars = {"collar_s": collar_s, "offset_fraction": 0.5}
    named = [
        {f"{i}": [("Bark", *event) for event in clip] for i, clip in enumerate(events)}
        for events in (reference, estimated)
    ]
    expected = count_events(*named, classes=["Bark"], **collars).by_class["Bark"]
    rows = [(clip, *event) for clip, events in enumerate(estimated) for event in events]
    clip, onset_s, offset_s = np.array(rows).T
    matcher = Matcher(reference, **collars)
    assert matcher.count(clip.astype(int), onset_s, offset_s) == expected["Ntp"]
    assert matcher.n_reference == expected["Nref"]


def test_the_largest_matching_is_found():
    reference = [[(1.0, 2.0), (1.2, 2.2), (1.4, 2.4)]]
    matcher = Matcher(reference, collar_s=0.25, offset_fraction=0.5)
    onset_s = np.array([0.8, 1.0, 1.2])
    assert matcher.count(np.zeros(3, dtype=int), onset_s, onset_s + 1) == 3
    none = np.zeros(0)
    assert matcher.count(none.astype(int), none, none) == 0


# Events


def _clips(rng, n_clips, n_frames=200):
    """Smooth frame scores, and events where they are high, about."""
    frames, reference = [], []
    for _ in range(n_clips):
        scores, events = 0.2 * rng.random(n_frames), []
        for _ in range(rng.integers(0, 3)):
            first = int(rng.integers(0, n_frames - 30))
            length = int(rng.integers(15, 30))
            scores[first : first + length] += 0.5 * rng.random()
            events.append((round(first * 0.032, 6), round((first + length) * 0.032, 6)))
        frames.append(np.convolve(scores, np.ones(5) / 5, mode="same").astype(np.float16))
        reference.append(events)
    return frames, reference


def _by_sed_eval(frames, reference, tags, settings, tag_threshold):
    names = [f"{i}" for i in range(len(frames))]
    events = detect_events(
        names,
        tags[:, None],
        [clip[:, None] for clip in frames],
        ["Bark"],
        GRID,
        settings,
        tag_threshold=tag_threshold,
    )
    estimated = {}
    for name, onset_s, offset_s, label in events:
        if label:
            estimated.setdefault(name, []).append((label, onset_s, offset_s))
    named = {n: [("Bark", *e) for e in clip] for n, clip in zip(names, reference, strict=True)}
    counts = count_events(named, estimated, classes=["Bark"], **COLLARS).by_class["Bark"]
    return 2 * counts["Ntp"] / max(counts["Nref"] + counts["Nsys"], 1)


@pytest.mark.parametrize("candidates", ["hysteresis", CHANGE_POINTS])
@pytest.mark.parametrize("seed", range(10))
def test_f1_of_events_is_that_of_the_table_of_events(seed, candidates):
    rng = np.random.default_rng(seed)
    frames, reference = _clips(rng, 15)
    tags = rng.random(15).astype(np.float32)
    search = EventSearch(frames, tags > np.float32(0.3), Matcher(reference, **COLLARS), GRID)
    for _ in range(4):
        low, high = sorted(rng.random(2) / 2)
        settings = EventSettings(
            float(high),
            float(low),
            int(rng.integers(0, 10)),
            int(rng.integers(0, 10)),
            median_frames=int(rng.choice([1, 3, 9])),
            candidates=candidates,
            step_frames=int(rng.integers(2, 15)),
        )
        expected = _by_sed_eval(frames, reference, tags, settings, 0.3)
        assert search.f1(settings) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("candidates", ["hysteresis", CHANGE_POINTS])
def test_what_was_searched_is_at_least_as_good_and_is_so(candidates):
    frames, reference = _clips(np.random.default_rng(0), 30)
    search = EventSearch(frames, np.full(30, True), Matcher(reference, **COLLARS), GRID)
    fixed = replace(EVENTS, candidates=candidates)
    settings, f1 = search.best(fixed)
    assert f1 >= search.f1(fixed)
    assert f1 > 0.5
    assert search.f1(settings) == f1
    assert (settings.join_gap_frames, settings.drop_frames) == (3, 2)
    assert search.best(fixed) == (settings, f1)


def test_without_clips_only_the_fixed_settings_are_there():
    search = EventSearch([], np.zeros(0, dtype=bool), Matcher([[(0, 1)]], **COLLARS), GRID)
    assert search.best(EVENTS)[1] == 0


# All of it


def _scores(seed=0, n_clips=60, n_frames=200, has_masks=True, known=None):
    """Clips of two classes with different score scales, and a class without events."""
    rng = np.random.default_rng(seed)
    names = [f"m{i}" for i in range(n_clips)]
    frames, strong, reference = [], [], {}
    target = np.zeros((n_clips, 3), dtype=bool)
    for i, name in enumerate(names):
        scores, active, events = np.zeros((n_frames, 3)), np.zeros((n_frames, 3), dtype=bool), []
        for k, scale in enumerate((0.04, 0.9)):
            scores[:, k] = scale * 0.3 * rng.random(n_frames)
            if rng.random() < 0.5:
                first = int(rng.integers(0, 150))
                scores[first : first + 40, k] += scale * 0.6
                active[first : first + 40, k] = True
                target[i, k] = True
                events.append((CLASSES[k], round(first * 0.032, 6), round((first + 40) * 0.032, 6)))
        frames.append(scores.astype(np.float16))
        strong.append(active)
        reference[name] = events
    tags = np.array([clip.max(axis=0) for clip in frames], dtype=np.float32)
    masks = ScoreHistogram.of(np.concatenate(frames), np.concatenate(strong)) if has_masks else None
    kept = reference if known is None else {name: reference[name] for name in names[:known]}
    return FoldScores(names, tags, target, frames, strong, kept, {}, masks)


def test_every_class_gets_its_own_thresholds():
    settings, rows = tune(_scores(), CLASSES, FIXED, GRID, **COLLARS)
    for values in (
        settings.tag_threshold,
        settings.frame_threshold,
        settings.mask_threshold,
        settings.postprocessing.high_threshold,
    ):
        assert len(values) == 3
        assert 0.01 < values[0] < 0.04
        assert 0.2 < values[1] < 0.9
    # Gong has no events, so its threshold cannot be tuned.
    assert settings.tag_threshold[2] == FIXED.tag_threshold
    assert settings.postprocessing.of_class(2) == EVENTS
    table = {(label, what): rest for label, what, *rest in rows}
    assert [row[1] for row in rows[:6]] == [
        "tag_threshold",
        "frame_threshold",
        "mask_threshold",
        "high_threshold",
        "low_threshold",
        "median_frames",
    ]
    assert [row[0] for row in rows] == [label for label in CLASSES for _ in range(6)]
    for label in CLASSES[:2]:
        for what in ("tag_threshold", "frame_threshold", "mask_threshold", "high_threshold"):
            value, f1, _, fixed_f1, n = table[label, what]
            assert f1 > 0.95
            assert f1 >= fixed_f1
            assert n > 0
    assert table["Bark", "tag_threshold"][3] == 0  # 0.1 is above all of its scores
    value, f1, fixed, fixed_f1, n = table["Gong", "low_threshold"]
    assert (value, fixed, n) == (0.1, 0.1, 0)
    assert np.isnan(f1)
    assert np.isnan(fixed_f1)


def test_f1_of_frames_is_that_at_the_chosen_thresholds():
    scores = _scores(3)
    for gate in (True, False):
        fixed = replace(FIXED, tag_gate=gate)
        settings, rows = tune(scores, CLASSES, fixed, GRID, **COLLARS)
        f1_of = {row[0]: row[3] for row in rows if row[1] == "frame_threshold"}
        for k, label in enumerate(CLASSES[:2]):
            above = np.stack([clip[:, k] for clip in scores.frames])
            above = above > np.float16(settings.frame_threshold[k])
            if gate:
                above &= (scores.tags[:, k] > np.float32(settings.tag_threshold[k]))[:, None]
            active = np.stack([clip[:, k] for clip in scores.strong])
            expected = 2 * (above & active).sum() / (above.sum() + active.sum())
            assert f1_of[label] == pytest.approx(expected, abs=1e-12)


def test_without_masks_and_times_only_tags_are_tuned():
    scores = _scores(has_masks=False, known=0)
    settings, rows = tune(scores, CLASSES, FIXED, GRID, **COLLARS)
    assert {row[1] for row in rows} == {"tag_threshold"}
    assert settings == replace(FIXED, tag_threshold=settings.tag_threshold)


def test_clips_without_times_do_not_count_for_events():
    some, _ = tune(_scores(known=40), CLASSES, FIXED, GRID, **COLLARS)
    scores = _scores()
    first = FoldScores(
        scores.mixtures[:40],
        scores.tags[:40],
        scores.target[:40],
        scores.frames[:40],
        scores.strong[:40],
        {name: scores.reference[name] for name in scores.mixtures[:40]},
        {},
    )
    # Tag thresholds are tuned on all clips; here both thresholds separate the same clips.
    alone, _ = tune(first, CLASSES, FIXED, GRID, **COLLARS)
    assert some.postprocessing == alone.postprocessing


def test_what_is_scored_is_never_looked_at():
    scores = _scores()
    tuned = tune(scores, CLASSES, FIXED, GRID, **COLLARS)
    again = tune(replace(scores, estimated=None), CLASSES, FIXED, GRID, **COLLARS)
    assert tuned[0] == again[0]


def test_change_points_have_their_own_grid():
    fixed = replace(FIXED, postprocessing=replace(EVENTS, candidates=CHANGE_POINTS))
    settings, rows = tune(_scores(), CLASSES, fixed, GRID, **COLLARS)
    assert {row[1] for row in rows} >= {"high_threshold", "step_frames", "merge_share"}
    assert settings.postprocessing.median_frames == 1
    assert len(settings.postprocessing.step_frames) == 3


def test_boxes_are_merged_as_the_reference_says():
    # Each event is interrupted, so that its two halves have to be one box.
    scores = np.zeros(200, np.float16)
    for first in (20, 120):
        scores[first : first + 40] = 0.8
        scores[first + 16 : first + 24] = 0.45
    events = [(first * 0.032, (first + 40) * 0.032) for first in (20, 120)]
    halves = [
        (a * 0.032, b * 0.032) for first in (20, 120)
        for a, b in ((first, first + 16), (first + 24, first + 40))
    ]  # fmt: skip
    fixed = replace(EVENTS, candidates=CHANGE_POINTS, merge_drop=0.0, step_frames=8)
    for reference, share in ((events, 0.9), (halves, 0.33)):
        search = EventSearch([scores], np.array([True]), Matcher([reference], **COLLARS), GRID)
        before = replace(fixed, merge_share=share)
        settings, f1 = search.best(before)
        assert search.f1(before) < f1 == 1
        assert (settings.merge_share < 0.45 / 0.8) == (reference is events)


@pytest.mark.parametrize("candidates", ["hysteresis", CHANGE_POINTS])
def test_150_clips_of_5_classes_take_seconds(candidates):
    scores = _scores(n_clips=150, n_frames=311)
    fixed = replace(FIXED, postprocessing=replace(EVENTS, candidates=candidates))
    started_s = time.process_time()
    tune(scores, CLASSES, fixed, GRID, **COLLARS)
    assert time.process_time() - started_s < 10
