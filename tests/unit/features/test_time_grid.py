import random
from decimal import Decimal
from fractions import Fraction
from math import floor

import numpy as np
import pytest

from tfseg.errors import DataError
from tfseg.features.time_grid import TimeGrid

PAPER = TimeGrid(sample_rate=32000, window_length=2048, hop_length=1024)
MINI = TimeGrid(sample_rate=16000, window_length=2048, hop_length=1024)
JSC = TimeGrid(sample_rate=16000, window_length=1024, hop_length=528)
CENTISECONDS = TimeGrid(sample_rate=100, window_length=1, hop_length=1)


def test_ten_seconds_of_the_paper_are_311_frames():
    assert PAPER.n_samples(10.0) == 320000
    assert PAPER.n_frames(320000) == 311


def test_five_seconds_of_the_miniature_are_77_frames():
    assert MINI.n_frames(MINI.n_samples(5.0)) == 77


def test_n_frames_counts_the_windows_that_fit():
    rng = random.Random(0)
    for _ in range(200):
        window, hop = rng.randint(1, 50), rng.randint(1, 60)
        n_samples = rng.randint(window, 400)
        fitting = [i for i in range(500) if i * hop + window <= n_samples]
        assert TimeGrid(100, window, hop).n_frames(n_samples) == len(fitting)


def test_one_window_is_one_frame_and_one_sample_less_is_refused():
    assert PAPER.n_frames(2048) == 1
    with pytest.raises(DataError, match="2047 samples is shorter than one window of 2048"):
        PAPER.n_frames(2047)


def test_a_decimal_time_loses_no_sample_and_no_frame_to_rounding():
    assert 0.29 * 100 < 29  # the pitfall
    assert CENTISECONDS.n_samples(0.29) == 29
    assert CENTISECONDS.frame_at(0.29) == 29
    for k in range(20000):
        assert CENTISECONDS.n_samples(k / 100) == k
        assert CENTISECONDS.frame_at(k / 100) == k


def test_a_time_just_below_a_frame_stays_below_it():
    assert CENTISECONDS.frame_at(0.2899) == 28
    assert CENTISECONDS.n_samples(0.2899) == 28
    assert PAPER.frame_at(0.031999) == 0
    assert PAPER.frame_at(0.032) == 1


@pytest.mark.parametrize("grid", [PAPER, MINI, JSC, CENTISECONDS], ids=str)
def test_frame_at_agrees_with_exact_arithmetic(grid):
    rng = random.Random(1)
    for _ in range(2000):
        decimal = Decimal(rng.randint(0, 100_000)) / 10_000
        exact = floor(Fraction(decimal) * grid.sample_rate / grid.hop_length)
        assert grid.frame_at(float(decimal)) == exact


@pytest.mark.parametrize("grid", [PAPER, MINI, JSC, CENTISECONDS], ids=str)
def test_every_frame_starts_in_itself(grid):
    for frame in range(5000):
        assert grid.frame_at(grid.time_at(frame)) == frame


def test_time_at_and_hop_are_seconds():
    assert PAPER.hop_s == 0.032
    assert PAPER.time_at(0) == 0
    assert PAPER.time_at(125) == pytest.approx(4.0, abs=1e-12)


@pytest.mark.parametrize(
    ("onset_s", "offset_s", "first", "last"),
    [
        (0.5, 2.5, 15, 78),  # 0.5 s is frame 15.625, 2.5 s is frame 78.125
        (3.0, 5.0, 93, 156),
        (0.0, 0.0, 0, 0),  # even an event without length owns the frame it falls into
        (0.032, 0.064, 1, 2),  # an offset on a frame's start counts that frame: as released
        (9.9, 12.0, 309, 310),  # clipped at the end of the clip
        (-1.0, 0.1, 0, 3),  # and at its start
    ],
)
def test_active_frames_run_from_onset_to_offset_inclusive(onset_s, offset_s, first, last):
    frames = np.arange(311)[PAPER.active_frames(onset_s, offset_s, 311)]
    assert frames.tolist() == list(range(first, last + 1))


@pytest.mark.parametrize(("onset_s", "offset_s"), [(9.99, 10.0), (20.0, 21.0), (-3.0, -1.0)])
def test_an_event_outside_the_frames_has_none(onset_s, offset_s):
    assert len(range(*PAPER.active_frames(onset_s, offset_s, 311).indices(311))) == 0


def test_active_frames_agree_with_asking_every_frame():
    rng = random.Random(2)
    for _ in range(500):
        onset_s = round(rng.uniform(0, 3), 3)
        offset_s = round(onset_s + rng.uniform(0, 3), 3)
        n_frames = rng.randint(1, 120)
        asked = [
            i for i in range(n_frames) if PAPER.frame_at(onset_s) <= i <= PAPER.frame_at(offset_s)
        ]
        found = np.arange(n_frames)[PAPER.active_frames(onset_s, offset_s, n_frames)]
        assert found.tolist() == asked


def test_strong_labels_are_the_union_of_events_in_their_columns():
    events = [("b", 0.0, 0.04), ("b", 0.032, 0.1), ("c", 0.16, 99.0)]
    labels = PAPER.strong_labels(events, ["a", "b", "c"], n_frames=7)
    assert labels.dtype == bool
    assert labels.astype(int).T.tolist() == [
        [0, 0, 0, 0, 0, 0, 0],
        [1, 1, 1, 1, 0, 0, 0],
        [0, 0, 0, 0, 0, 1, 1],
    ]


def test_strong_labels_of_a_clip_without_events_are_false():
    assert not PAPER.strong_labels([], ["a"], n_frames=4).any()
