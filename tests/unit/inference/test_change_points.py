import numpy as np
import pytest

from tfseg.inference.change_points import find_segments, step_response

PLAIN = {"step_frames": 4, "merge_drop": 0.0, "merge_share": 0.9}


def _segments(scores, **changes):
    return find_segments(np.array(scores, dtype=np.float64), **(PLAIN | changes))


def _box(n_frames, *boxes):
    scores = np.zeros(n_frames)
    for first, stop, value in boxes:
        scores[first:stop] = value
    return scores


def test_a_step_answers_with_its_height_at_its_border():
    response = step_response(_box(20, (8, 20, 0.6)), 4)
    assert len(response) == 21
    assert response[8] == pytest.approx(0.6)
    assert np.argmax(response) == 8
    np.testing.assert_allclose(response[4:13], 0.6 * (1 - np.abs(np.arange(-4, 5)) / 4), atol=1e-9)
    assert response[20] == pytest.approx(-0.6)  # nothing sounds after the end


def test_a_step_answers_as_differences_of_means():
    scores = np.random.default_rng(0).random(30)
    padded = np.pad(scores, 5)
    expected = [padded[b + 5 : b + 10].mean() - padded[b : b + 5].mean() for b in range(31)]
    np.testing.assert_allclose(step_response(scores, 5), expected, atol=1e-8)


@pytest.mark.parametrize(("first", "stop"), [(0, 20), (0, 5), (7, 15), (12, 20), (9, 11), (9, 10)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_box_is_found_where_it_is_whatever_its_length(first, stop, dtype):
    scores = _box(20, (first, stop, 0.5)).astype(dtype)
    assert _segments(scores) == [(first, stop, 0.5)]


def test_silence_holds_nothing():
    assert _segments(np.zeros(10)) == []
    assert _segments([]) == []


def test_two_boxes_far_apart_are_two_events():
    scores = _box(40, (5, 12, 0.5), (25, 30, 0.25))
    assert _segments(scores) == [(5, 12, 0.5), (25, 30, pytest.approx(0.25))]


def test_a_slope_has_its_border_where_it_is_steepest():
    scores = [0, 0, 0, 0, 0.05, 0.1, 0.8, 0.9, 0.9, 0.9, 0.1, 0.05, 0, 0, 0, 0]
    ((first, stop, confidence),) = _segments(scores)
    assert (first, stop) == (6, 10)
    assert confidence == pytest.approx(0.875)


@pytest.mark.parametrize(
    ("between", "merge_drop", "merge_share", "n_events"),
    [
        (0.2, 0.0, 0.9, 2),
        (0.2, 0.61, 0.9, 1),  # 0.6 below 0.8
        (0.2, 0.59, 0.9, 2),
        (0.2, 0.0, 0.24, 1),  # a quarter of 0.8
        (0.2, 0.0, 0.26, 2),
    ],
)
def test_neighbours_are_merged_where_the_score_hardly_drops(
    between, merge_drop, merge_share, n_events
):
    scores = _box(40, (5, 15, 0.8), (15, 22, between), (22, 32, 0.5))
    found = _segments(scores, merge_drop=merge_drop, merge_share=merge_share)
    assert len(found) == n_events
    assert (found[0][0], found[-1][1]) == (5, 32)
    if n_events == 1:
        assert found[0][2] == pytest.approx(scores[5:32].mean())


def test_segments_are_in_order_and_do_not_overlap():
    rng = np.random.default_rng(1)
    for _ in range(50):
        scores = np.convolve(rng.random(80) ** 4, np.ones(5) / 5, mode="same")
        settings = {"merge_drop": rng.random() / 5, "merge_share": rng.random()}
        found = _segments(scores, step_frames=int(rng.integers(1, 12)), **settings)
        borders = [border for first, stop, _ in found for border in (first, stop)]
        assert borders == sorted(borders)
        for first, stop, confidence in found:
            assert 0 <= first < stop <= 80
            assert confidence == pytest.approx(scores[first:stop].mean())
