import itertools

import numpy as np
import pytest
import torch
from small_baselines import BASELINES, PUBLISHED, random_input

from tfseg.models.networks.wldcnn import build

BASELINE = BASELINES["wldcnn"]
SMALL = BASELINE.settings


@pytest.fixture
def small():
    return BASELINE.settled()


def _reach(n_pools):
    """Frames to either side of a segment that its score depends on, of the published stages."""
    layers_after_pools = [2] * n_pools + [2 * (5 - n_pools) + 1]
    return sum(n_layers * 2**pools for pools, n_layers in enumerate(layers_after_pools))


def test_the_published_size():
    widths = [1, 16, 16, 32, 32, 64, 64, 128, 128, 256, 256, 512]
    expected = sum(9 * a * b + 2 * b for a, b in itertools.pairwise(widths))
    expected += 4 * 512 * 1024 + 2 * 1024 + 1024 * 41 + 41
    n_parameters = sum(p.numel() for p in build(41, 64, **PUBLISHED["wldcnn"]).parameters())
    assert n_parameters == expected
    # Pools have no parameters: the number of bands does not count.
    assert sum(p.numel() for p in build(41, 128, **PUBLISHED["wldcnn"]).parameters()) == expected


@pytest.mark.parametrize(
    ("mel", "n_pools"), [(128, 6), (64, 5), (32, 4), (16, 3), (13, 2), (4, 1), (2, 0)]
)
def test_pools_leave_two_bands(mel, n_pools):
    network = build(3, mel, **SMALL).eval()
    assert sum(isinstance(m, torch.nn.MaxPool2d) for m in network.modules()) == n_pools
    assert network.stride == 2**n_pools
    with torch.inference_mode():
        maps = network.stages(random_input(1, 1, 2 * network.stride, mel))
    assert maps.shape[2:] == (2, 3 if mel == 13 else 2)


def test_pools_follow_the_first_stages():
    names = [type(layer).__name__ for layer in build(3, 64, **SMALL).stages]
    assert names == ["ConvBlock", "ConvBlock", "MaxPool2d"] * 5 + ["ConvBlock"]


@pytest.mark.parametrize(
    ("time", "n_segments"),
    [(1, 2), (23, 2), (24, 2), (25, 3), (32, 3), (33, 4), (100, 12)],
)
def test_every_frame_lies_in_a_segment_of_two_strides(small, time, n_segments):
    found = []
    small.output.register_forward_hook(lambda layer, inputs, output: found.append(output.shape))
    with torch.inference_mode():
        small(random_input(1, time, 16))
    assert small.stride == 8
    assert found == [(1, 5, n_segments, 1)]


def test_one_short_clip_can_be_trained_on(small):
    tags, _ = small.train()(random_input(1, 5, 16))
    assert tags.isfinite().all()


def test_tag_and_frames_come_from_segment_scores(small):
    found = []
    small.output.register_forward_hook(lambda layer, inputs, output: found.append(output))
    with torch.inference_mode():
        tags, frames = small(random_input(2, 50, 16))
        segments = torch.sigmoid(found[0][..., 0])
    np.testing.assert_array_equal(tags, segments.amax(dim=2))
    # Segments 0..15, 8..23, ...: the first is nearest up to frame 11, the others for 8 frames.
    expected = segments.repeat_interleave(8, dim=2)
    expected = torch.cat([segments[:, :, :1].expand(-1, -1, 4), expected], dim=2)[:, :, :50]
    np.testing.assert_array_equal(frames, expected)


@pytest.mark.parametrize("mel", [16, 32])
def test_a_change_is_seen_where_it_is_and_not_beyond_the_reach(mel):
    network = BASELINE.settled(mel)
    stride = network.stride
    reach = _reach({16: 3, 32: 4}[mel])
    inputs = random_input(1, 600, mel)
    changed = inputs.clone()
    changed[:, 300:304] += 10
    with torch.inference_mode():
        moved = (network(inputs)[1] - network(changed)[1]).abs().amax(dim=1)[0]
    frames = moved.nonzero()[:, 0]
    assert frames.min() <= 300 <= 303 <= frames.max()
    # A frame lies at most half a stride from the centre of its segment of two strides.
    assert frames.min() >= 300 - reach - 1.5 * stride
    assert frames.max() <= 303 + reach + 1.5 * stride
