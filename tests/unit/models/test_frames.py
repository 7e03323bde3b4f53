import numpy as np
import pytest
import torch

from tfseg.models.networks.frames import hold


def _held(n_outputs, n_frames, stride, first_centre):
    """Indices of the outputs that frames get."""
    return hold(
        torch.arange(n_outputs), n_frames, stride=stride, first_centre=first_centre
    ).tolist()


def test_stretches_side_by_side_are_repeated():
    assert _held(3, 12, 4, 1.5) == [0] * 4 + [1] * 4 + [2] * 4


def test_overlapping_stretches_meet_half_way_between_their_centres():
    # Stretches 0..7, 4..11 and 8..15 have their centres at 3.5, 7.5 and 11.5.
    assert _held(3, 16, 4, 3.5) == [0] * 6 + [1] * 4 + [2] * 6


@pytest.mark.parametrize(
    ("n_outputs", "n_frames", "stride", "first_centre"),
    [(9, 311, 32, 31.5), (20, 311, 16, 7.5), (4, 77, 16, 15.5), (7, 50, 5, 3.2), (5, 12, 1, 4)],
)
def test_every_frame_has_the_output_of_the_nearest_centre(
    n_outputs, n_frames, stride, first_centre
):
    centres = first_centre + stride * np.arange(n_outputs)
    distance = np.abs(np.arange(n_frames)[:, None] - centres)
    assert _held(n_outputs, n_frames, stride, first_centre) == distance.argmin(axis=1).tolist()


def test_a_frame_half_way_has_the_later_output():
    assert _held(3, 5, 2, 0) == [0, 1, 1, 2, 2]


def test_frames_beyond_the_last_centre_keep_the_last_output():
    assert _held(2, 12, 4, 1.5) == [0] * 4 + [1] * 8
    assert _held(1, 5, 16, 7.5) == [0] * 5


def test_outputs_beyond_the_last_frame_are_not_used():
    assert _held(9, 5, 4, 1.5) == [0, 0, 0, 0, 1]


def test_leading_dimensions_and_values_are_kept():
    outputs = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(0))
    frames = hold(outputs, 8, stride=2, first_centre=0.5)
    assert frames.shape == (2, 3, 8)
    np.testing.assert_array_equal(frames, outputs.repeat_interleave(2, dim=2))


def test_gradients_of_frames_add_up_in_their_output():
    outputs = torch.zeros(2, 3, requires_grad=True)
    hold(outputs, 9, stride=4, first_centre=1.5).sum().backward()
    assert outputs.grad.tolist() == [[4, 4, 1]] * 2
