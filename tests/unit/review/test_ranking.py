"""Which stretches come first: known answers."""

import numpy as np
import pytest

from tfseg.review.ranking import Candidates, choose, entropy_bits, join


def candidates(tags, *, distance=None, recording=None, start_s=None, length_s=2.0):
    """Candidates of one class unless `tags` says more; each in a recording of its own."""
    tags = np.asarray(tags, dtype=np.float32)
    tags = tags[..., None] if tags.ndim == 2 else tags
    n = tags.shape[1]
    start_s = np.zeros(n) if start_s is None else np.asarray(start_s, dtype=float)
    return Candidates(
        np.arange(n) if recording is None else np.asarray(recording),
        start_s,
        start_s + length_s,
        tags,
        np.zeros(n) if distance is None else np.asarray(distance, dtype=float),
    )


def order(choices):
    return [choice.index for choice in choices]


def test_an_uncertain_stretch_is_before_a_certain_one():
    choices = choose(candidates([[0.99, 0.5, 0.02, 0.7]]), 4)
    assert order(choices) == [1, 3, 2, 0]
    assert choices[0].uncertainty == pytest.approx(1.0)
    assert choices[0].reason == "uncertainty" and choices[0].disagreement == 0


def test_entropy_is_one_bit_at_a_half_and_none_at_the_ends():
    assert entropy_bits([0, 0.5, 0.11002786, 1]) == pytest.approx([0, 1, 0.5, 0], abs=1e-6)


def test_disagreement_comes_first_where_the_means_are_equal():
    # Two models, mean 0.5 in both stretches: they agree on the first one only.
    choices = choose(candidates([[0.5, 0.0], [0.5, 1.0]]), 2)
    assert order(choices) == [1, 0]
    assert choices[0].disagreement == 1 and choices[0].reason == "disagreement"
    assert choices[1].disagreement == 0


def test_a_stretch_unlike_the_training_comes_first_where_tags_are_equal():
    choices = choose(candidates([[0.1, 0.1, 0.1]], distance=[0.5, 3.0, 1.0]), 3)
    assert order(choices) == [1, 2, 0]
    assert choices[0].unlikeness == pytest.approx(0.9) and choices[0].reason == "unlikeness"
    assert choices[1].unlikeness == 0.5


def test_neighbours_of_a_chosen_stretch_are_not_chosen():
    tags = [[0.1, 0.4, 0.5, 0.45, 0.3, 0.2, 0.1]]
    start_s = np.arange(7.0)  # 2 s long each: they overlap by half
    chosen = choose(candidates(tags, recording=np.zeros(7, int), start_s=start_s), 7)
    assert order(chosen) == [2, 5]
    elsewhere = choose(candidates(tags, start_s=start_s), 7)
    assert len(elsewhere) == 7  # in seven recordings nothing is a neighbour


def test_choices_spread_over_recordings():
    # The second recording's stretches are a little less uncertain.
    tags = [[0.5, 0.49, 0.48, 0.35, 0.34]]
    recording, start_s = [0, 0, 0, 1, 1], [0, 10, 20, 0, 10]
    chosen = order(choose(candidates(tags, recording=recording, start_s=start_s), 4))
    assert chosen[:2] == [0, 3] and set(chosen) == {0, 1, 3, 4}


def test_choices_spread_over_classes_and_name_the_most_instructive_one_first():
    tags = [[[0.5, 0.01], [0.5, 0.01], [0.01, 0.35]]]
    chosen = choose(candidates(tags), 3)
    assert order(chosen) == [0, 2, 1]
    assert [choice.classes for choice in chosen] == [(0, 1), (1, 0), (0, 1)]


def test_joined_candidates_are_those_of_all_recordings():
    joined = join([candidates([[0.1, 0.2]]), candidates([[0.3]])])
    assert joined.tags[0, :, 0] == pytest.approx([0.1, 0.2, 0.3])
    assert len(joined.recording) == len(joined.distance) == 3


def test_there_may_be_fewer_than_wanted_and_nothing_to_learn():
    assert len(choose(candidates([[0.0, 1.0]]), 9)) == 2
