import itertools

import numpy as np
import pandas as pd
import pytest
import scipy.ndimage

from tfseg.errors import TableError
from tfseg.features.time_grid import TimeGrid
from tfseg.inference.events import (
    CHANGE_POINTS,
    EventSettings,
    detect_events,
    detect_runs,
    event_confidence,
    median_filtered,
    read_events,
    write_events,
)

GRID = TimeGrid(sample_rate=32000, window_length=2048, hop_length=1024)
PLAIN = EventSettings(high_threshold=0.2, low_threshold=0.1, join_gap_frames=0, drop_frames=0)


def _settings(**changes):
    return EventSettings(**(vars(PLAIN) | changes))


def _runs(scores, dtype=np.float16, **changes):
    return detect_runs(np.array(scores, dtype=dtype), _settings(**changes))


def test_hand_made_cases():
    assert _runs([0, 0, 0]) == []
    assert _runs([]) == []
    assert _runs([1, 1, 1]) == [(0, 3)]
    assert _runs([1]) == [(0, 1)]
    assert _runs([1, 1, 0, 0, 1]) == [(0, 2), (4, 5)]  # touching both ends
    assert _runs([0, 1, 1, 0]) == [(1, 3)]
    assert _runs([1, 0, 1, 0, 1]) == [(0, 1), (2, 3), (4, 5)]


def test_an_event_extends_while_scores_reach_the_low_threshold():
    assert _runs([0, 0.15, 0.5, 0.15, 0.05, 0.15]) == [(1, 4)]
    assert _runs([0.15, 0.15, 0.5]) == [(0, 3)]
    assert _runs([0.5, 0.15, 0.5]) == [(0, 3)]


def test_scores_between_the_thresholds_alone_are_no_event():
    assert _runs([0.15] * 5) == []
    assert _runs([0.15, 0.15, 0.0, 0.5]) == [(3, 4)]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_high_threshold_is_strict_and_the_low_is_not(dtype):
    high, low = dtype(0.2), dtype(0.1)
    assert _runs([high, high], dtype) == []
    assert _runs([np.nextafter(high, dtype(1)), 0], dtype) == [(0, 1)]
    assert _runs([1, low, 0], dtype) == [(0, 2)]
    assert _runs([1, np.nextafter(low, dtype(0)), 0], dtype) == [(0, 1)]


def test_equal_thresholds():
    equal = {"high_threshold": 0.25, "low_threshold": 0.25}  # exact in binary
    assert _runs([0.25, 0.25, 0.3, 0.25, 0.2], **equal) == [(0, 4)]
    assert _runs([0.25, 0.25], **equal) == []


@pytest.mark.parametrize("gap", range(5))
def test_a_gap_is_joined_up_to_the_given_number_of_frames(gap):
    scores = [1, 1] + [0] * gap + [1]
    assert _runs(scores, join_gap_frames=gap) == [(0, gap + 3)]
    if gap:
        assert _runs(scores, join_gap_frames=gap - 1) == [(0, 2), (gap + 2, gap + 3)]


def test_gaps_count_after_the_extension():
    assert _runs([1, 0.15, 0, 0.15, 1], join_gap_frames=1) == [(0, 5)]
    assert _runs([1, 0.15, 0, 0, 0.15, 1], join_gap_frames=1) == [(0, 2), (4, 6)]


def test_joining_goes_on_from_event_to_event():
    assert _runs([1, 0, 1, 0, 1, 0, 0, 1], join_gap_frames=1) == [(0, 5), (7, 8)]


def test_what_is_no_event_bridges_no_gap():
    # Two frames lie between the events, one of them above the low threshold only.
    assert _runs([1, 0, 0.15, 0, 1], join_gap_frames=2) == [(0, 1), (4, 5)]
    assert _runs([1, 0, 0.15, 0, 1], join_gap_frames=3) == [(0, 5)]


@pytest.mark.parametrize("length", range(1, 5))
def test_an_event_is_dropped_up_to_the_given_number_of_frames(length):
    scores = [0] + [1] * length + [0]
    assert _runs(scores, drop_frames=length) == []
    assert _runs(scores, drop_frames=length - 1) == [(1, length + 1)]


def test_events_are_joined_before_they_are_dropped():
    assert _runs([1, 0, 1], join_gap_frames=1, drop_frames=2) == [(0, 3)]
    assert _runs([1, 0, 1], join_gap_frames=0, drop_frames=1) == []


def _slowly(scores, settings):
    """Hysteresis, frame by frame, as TASLP IV-C describes it."""
    n = len(scores)
    on = [score > settings.high_threshold for score in scores]
    for order in (range(1, n), range(n - 2, -1, -1)):
        for i in order:
            before = i - 1 if order.step == 1 else i + 1
            on[i] = on[i] or (on[before] and scores[i] >= settings.low_threshold)
    runs = [
        [i for i, _ in group]
        for value, group in itertools.groupby(enumerate(on), key=lambda pair: pair[1])
        if value
    ]
    joined = []
    for run in runs:
        if joined and run[0] - joined[-1][1] - 1 <= settings.join_gap_frames:
            joined[-1][1] = run[-1]
        else:
            joined.append([run[0], run[-1]])
    return [(a, b + 1) for a, b in joined if b + 1 - a > settings.drop_frames]


def test_random_scores_agree_with_a_frame_by_frame_reading():
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(1000):
        settings = EventSettings(0.6, 0.4, *map(int, rng.integers(0, 4, 2)))
        scores = np.round(rng.random(rng.integers(1, 30)), 1).astype(np.float32)
        if rng.random() < 0.5:  # smooth ones have longer runs
            scores = np.convolve(scores, [0.25, 0.5, 0.25], "same").astype(np.float32)
        runs = detect_runs(scores, settings)
        assert runs == _slowly(scores, settings)
        found += len(runs)
    assert found > 1000


def test_runs_of_a_strided_column_are_those_of_its_copy():
    frames = np.random.default_rng(1).random((40, 3)).astype(np.float16)
    for k in range(3):
        assert detect_runs(frames[:, k], PLAIN) == detect_runs(frames[:, k].copy(), PLAIN)


def _detect(tags, frames, names=("a", "b"), classes=("Bark", "Gong"), **changes):
    return detect_events(
        list(names),
        np.array(tags, dtype=np.float32),
        np.array(frames, dtype=np.float16),
        list(classes),
        GRID,
        _settings(**changes),
        tag_threshold=0.1,
    )


def test_detected_events_in_seconds():
    frames = np.zeros((2, 100, 2))
    frames[0, 10:20, 1] = frames[0, 5:30, 0] = frames[0, 50:100, 1] = 1
    frames[1, 0:1, 0] = 1
    events = _detect([[1, 1], [1, 1]], frames)
    assert events == [
        ("a", 0.16, 0.96, "Bark"),
        ("a", 0.32, 0.64, "Gong"),
        ("a", 1.6, 3.2, "Gong"),
        ("b", 0.0, 0.032, "Bark"),
    ]


def test_classes_whose_tag_is_not_above_the_threshold_are_not_looked_for():
    frames = np.ones((2, 20, 2))
    events = _detect([[0.1, 0.11], [0.09, 0.0]], frames)
    assert [(row[0], row[3]) for row in events] == [("a", "Gong"), ("b", None)]


def test_a_clip_without_events_keeps_a_row():
    events = _detect(np.ones((2, 2)), np.zeros((2, 20, 2)))
    assert events == [("a", None, None, None), ("b", None, None, None)]


def test_the_number_of_names_and_of_clips_must_be_the_same():
    with pytest.raises(ValueError, match="zip"):
        _detect(np.ones((2, 2)), np.zeros((2, 20, 2)), names=["a", "b", "c"])


def test_the_table_of_events_comes_back_as_it_was(tmp_path):
    rng = np.random.default_rng(0)
    names = [f"clip-{i}" for i in range(20)]
    tags = rng.random((20, 2)) * 0.15
    frames = rng.random((20, 311, 2)) * (rng.random((20, 1, 2)) < 0.4)
    events = _detect(tags, frames, names)
    path = tmp_path / "seed0.tsv"
    write_events(path, events)
    again = read_events(path)
    assert list(again) == names  # clips without events too
    assert [] in again.values()
    assert [(name, *event) for name, found in again.items() for event in found] == [
        (name, label, onset, offset) for name, onset, offset, label in events if label
    ]
    assert sum(map(len, again.values())) > 100


def test_the_table_is_tab_separated_with_empty_fields(tmp_path):
    frames = np.zeros((2, 20, 2))
    frames[0, 2:4, 1] = 1
    write_events(tmp_path / "e.tsv", _detect(np.ones((2, 2)), frames))
    assert (tmp_path / "e.tsv").read_text() == (
        "filename\tonset\toffset\tevent_label\na\t0.064\t0.128\tGong\nb\t\t\t\n"
    )


def test_the_table_is_written_as_pandas_writes_it(tmp_path):
    rng = np.random.default_rng(4)
    rows = [
        (name, round(rng.uniform(0, 1e-4), 6), round(rng.uniform(0, 1e6), 6), label)
        for name, label in itertools.product(["a", "b c", 'x"y', "t\tt", "n\nn"], ["Bark", 'G"g'])
    ] + [("silent", None, None, None)]
    write_events(tmp_path / "e.tsv", rows)
    frame = pd.DataFrame(rows, columns=["filename", "onset", "offset", "event_label"])
    expected = frame.to_csv(index=False, sep="\t", lineterminator="\n")
    assert (tmp_path / "e.tsv").read_bytes() == expected.encode()


def test_onsets_near_zero_survive_the_table(tmp_path):
    rows = [("a", 0.000064, 1e-6, "Bark"), ("a", 0.0, 123456.789012, "Bark")]
    write_events(tmp_path / "e.tsv", rows)
    assert read_events(tmp_path / "e.tsv") == {"a": [("Bark", *row[1:3]) for row in rows]}


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (
            "a\t-1\t2\tBark",
            r"line 2, column onset: expected seconds from 0 on, such as 2\.5, found '-1'",
        ),
        (
            "a\t1\tlong\tBark",
            r"line 2, column offset: expected seconds from 0 on, such as 2\.5, found 'long'",
        ),
        (
            "a\t1\tnan\tBark",
            r"line 2, column offset: expected seconds from 0 on, such as 2\.5, found 'nan'",
        ),
        ("\t1\t2\tBark", r"line 2, column filename: expected a text that is not empty, found ''"),
    ],
)
def test_a_bad_row_is_named(tmp_path, row, problem):
    path = tmp_path / "e.tsv"
    path.write_text(f"filename\tonset\toffset\tevent_label\n{row}\n")
    with pytest.raises(TableError, match=rf"e\.tsv, {problem}"):
        read_events(path)


@pytest.mark.parametrize("row", ["a\t\t\tBark", "a\t1\t\tBark", "a\t\t2\tBark"])
def test_an_event_without_its_times_is_named(tmp_path, row):
    path = tmp_path / "e.tsv"
    path.write_text(f"filename\tonset\toffset\tevent_label\nb\t1\t2\tBark\n{row}\n")
    with pytest.raises(TableError, match=r"e\.tsv, line 3, column (onset|offset)"):
        read_events(path)


# Settings of each class, the median filter, change points


@pytest.mark.parametrize("n_frames", [1, 3, 5, 15])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("n_scores", [0, 1, 2, 4, 60])
def test_the_median_filter_is_that_of_scipy(n_scores, dtype, n_frames):
    scores = np.random.default_rng(n_frames).random(n_scores).astype(dtype)
    found = median_filtered(scores, n_frames)
    assert found.dtype == dtype
    if n_scores:
        expected = scipy.ndimage.median_filter(scores.astype(np.float32), n_frames)
        np.testing.assert_array_equal(found, expected.astype(dtype))


def test_a_median_filter_takes_out_what_is_short():
    assert _runs([0, 1, 0, 0, 1, 1, 1, 0, 1], median_frames=3) == [(4, 9)]


def test_each_class_has_its_own_settings():
    frames = np.tile(np.array([0, 0.3, 0.6, 0.3, 0], dtype=np.float16)[:, None], (1, 3))
    settings = _settings(high_threshold=(0.5, 0.2, 0.7), low_threshold=(0.4, 0.2, 0.1))
    tags = np.array([[0.5, 0.5, 0.5], [0.5, 0.2, 0.9]], dtype=np.float32)
    events = detect_events(
        ["a", "b"], tags, [frames] * 2, "xyz", GRID, settings, tag_threshold=(0.1, 0.3, 0.1)
    )
    assert events == [
        ("a", 0.032, 0.128, "y"),
        ("a", 0.064, 0.096, "x"),
        ("b", 0.064, 0.096, "x"),
    ]


def test_change_points_need_a_mean_score_above_the_threshold():
    change_points = {"candidates": CHANGE_POINTS, "step_frames": 3}
    scores = [0, 0, 0, 0.4, 0.8, 0.6, 0, 0, 0, 0, 0, 0.3, 0.3, 0.3, 0, 0]
    assert _runs(scores, np.float64, **change_points) == [(3, 6), (11, 14)]
    assert _runs(scores, np.float64, high_threshold=0.35, **change_points) == [(3, 6)]
    assert _runs(scores, np.float64, high_threshold=0.65, **change_points) == []
    assert _runs(scores, np.float64, drop_frames=3, **change_points) == []


def test_the_confidence_of_an_event():
    scores = np.array([0, 0.25, 0.75, 0], dtype=np.float16)
    assert event_confidence(scores, 1, 3, PLAIN) == 0.75
    assert event_confidence(scores, 1, 3, _settings(candidates=CHANGE_POINTS)) == 0.5
