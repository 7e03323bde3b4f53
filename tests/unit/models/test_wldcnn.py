import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch.nn import functional

from tfseg.models.networks.wldcnn import build

REPOSITORY = Path(__file__).parents[3]
PUBLISHED = yaml.safe_load((REPOSITORY / "config.yaml").read_text())["baselines"]["wldcnn"]
SMALL = {"widths": [4, 6, 8, 8, 8, 8], "segment_maps": 32}


@pytest.fixture(autouse=True)
def one_thread():
    """Networks as small as these are slower with several threads on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _input(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def _settled(mel):
    """Build a small network whose batch normalisation knows the statistics of such inputs."""
    torch.manual_seed(0)
    network = build(5, mel, **SMALL).train()
    with torch.no_grad():
        for _ in range(20):
            network(_input(4, 100, mel))
    return network.eval()


@pytest.fixture
def small():
    return _settled(16)


def _reach(n_pools):
    """Frames to either side of a segment that its score depends on, of the published stages."""
    layers_after_pools = [2] * n_pools + [2 * (5 - n_pools) + 1]
    return sum(n_layers * 2**pools for pools, n_layers in enumerate(layers_after_pools))


def test_the_published_size():
    widths = [1, 16, 16, 32, 32, 64, 64, 128, 128, 256, 256, 512]
    expected = sum(9 * a * b + 2 * b for a, b in itertools.pairwise(widths))
    expected += 4 * 512 * 1024 + 2 * 1024 + 1024 * 41 + 41
    n_parameters = sum(p.numel() for p in build(41, 64, **PUBLISHED).parameters())
    assert n_parameters == expected
    # Pools have no parameters: the number of bands does not count.
    assert sum(p.numel() for p in build(41, 128, **PUBLISHED).parameters()) == expected


@pytest.mark.parametrize(
    ("mel", "n_pools"), [(128, 6), (64, 5), (32, 4), (16, 3), (13, 2), (4, 1), (2, 0)]
)
def test_pools_leave_two_bands(mel, n_pools):
    network = build(3, mel, **SMALL).eval()
    assert sum(isinstance(m, torch.nn.MaxPool2d) for m in network.modules()) == n_pools
    assert network.stride == 2**n_pools
    with torch.inference_mode():
        maps = network.stages(_input(1, 1, 2 * network.stride, mel))
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
        small(_input(1, time, 16))
    assert small.stride == 8
    assert found == [(1, 5, n_segments, 1)]


def test_one_short_clip_can_be_trained_on(small):
    tags, _ = small.train()(_input(1, 5, 16))
    assert tags.isfinite().all()


def test_tag_and_frames_come_from_segment_scores(small):
    found = []
    small.output.register_forward_hook(lambda layer, inputs, output: found.append(output))
    with torch.inference_mode():
        tags, frames = small(_input(2, 50, 16))
        segments = torch.sigmoid(found[0][..., 0])
    np.testing.assert_array_equal(tags, segments.amax(dim=2))
    # Segments 0..15, 8..23, ...: the first is nearest up to frame 11, the others for 8 frames.
    expected = segments.repeat_interleave(8, dim=2)
    expected = torch.cat([segments[:, :, :1].expand(-1, -1, 4), expected], dim=2)[:, :, :50]
    np.testing.assert_array_equal(frames, expected)


@pytest.mark.parametrize("mel", [16, 32])
def test_a_change_is_seen_where_it_is_and_not_beyond_the_reach(mel):
    network = _settled(mel)
    stride = network.stride
    reach = _reach({16: 3, 32: 4}[mel])
    inputs = _input(1, 600, mel)
    changed = inputs.clone()
    changed[:, 300:304] += 10
    with torch.inference_mode():
        moved = (network(inputs)[1] - network(changed)[1]).abs().amax(dim=1)[0]
    frames = moved.nonzero()[:, 0]
    assert frames.min() <= 300 <= 303 <= frames.max()
    # A frame lies at most half a stride from the centre of its segment of two strides.
    assert frames.min() >= 300 - reach - 1.5 * stride
    assert frames.max() <= 303 + reach + 1.5 * stride


def _averaging(network):
    """Let every layer average what it sees, so that an impulse spreads evenly to both sides."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim > 1:
                parameter.fill_(parameter.shape[0] / parameter.numel())
    return network.double()


@pytest.mark.parametrize("time", [149, 150, 153, 156, 159, 160, 170])
def test_an_impulse_has_its_frame_scores_around_it(time):
    network = _averaging(build(1, 16, **SMALL).eval())
    inputs = torch.zeros(1, 320, 16, dtype=torch.float64)
    changed = inputs.clone()
    changed[:, time] = 100
    with torch.inference_mode():
        moved = (network(changed)[1] - network(inputs)[1])[0, 0].numpy()
    assert (moved >= 0).all()
    centre = (moved * np.arange(320)).sum() / moved.sum()
    assert abs(centre - time) <= network.stride / 2


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("n_classes", [1, 5])
@pytest.mark.parametrize(("time", "mel"), [(311, 64), (77, 32), (10, 16), (3, 16), (45, 13)])
def test_tags_and_frames_are_probabilities_on_the_inputs_grid(time, mel, n_classes, training):
    torch.manual_seed(0)
    network = build(n_classes, mel, **SMALL).train(training)
    with torch.no_grad():
        tags, frames = network(10 * _input(2, time, mel))
    assert tags.shape == (2, n_classes)
    assert frames.shape == (2, n_classes, time)
    for scores in (tags, frames):
        assert scores.dtype == torch.float32
        assert ((scores >= 0) & (scores <= 1)).all()
    if training:  # without statistics of its batch normalisation a network has hardly any signal
        assert frames.std() > 0.001


def test_evaluation_is_deterministic_and_training_is_not_part_of_it(small):
    inputs = _input(2, 77, 16)
    with torch.inference_mode():
        first, second = small(inputs), small(inputs)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_clips_do_not_see_each_other_when_evaluated(small):
    inputs = _input(3, 50, 16)
    with torch.inference_mode():
        tags, frames = small(inputs)
        for clip in range(3):
            alone = small(inputs[clip : clip + 1])
            np.testing.assert_allclose(alone[0][0], tags[clip], atol=1e-5)
            np.testing.assert_allclose(alone[1][0], frames[clip], atol=1e-5)


def test_gradients_reach_every_parameter(small):
    tags, frames = small.train()(_input(4, 77, 16))
    (tags.square().mean() + frames.square().mean()).backward()
    for name, parameter in small.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_tags_alone_train_every_parameter(small):
    small.train()(_input(4, 77, 16))[0].square().mean().backward()
    for name, parameter in small.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_half_silent_input_gives_finite_scores_and_gradients(small):
    inputs = _input(4, 77, 16)
    inputs[:, 30:] = -8
    inputs[0] = -8  # and one clip is silent throughout
    inputs.requires_grad_()
    tags, frames = small.train()(inputs)
    functional.binary_cross_entropy(tags, torch.ones_like(tags)).backward()
    assert tags.isfinite().all()
    assert frames.isfinite().all()
    assert inputs.grad.isfinite().all()
    for name, parameter in small.named_parameters():
        assert parameter.grad.isfinite().all(), name


def test_it_can_learn_eight_clips_by_heart():
    torch.manual_seed(0)
    network = build(4, 16, **SMALL).train()
    inputs = _input(8, 40, 16)
    targets = (torch.rand(8, 4, generator=torch.Generator().manual_seed(2)) < 0.5).float()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        loss = functional.binary_cross_entropy(network(inputs)[0], targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < losses[0] / 4


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_cpus_scores(small):
    inputs = _input(2, 77, 16)
    with torch.inference_mode():
        expected = small(inputs)
        found = small.to("cuda", memory_format=torch.channels_last)(inputs.cuda())
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.cpu(), b, atol=2e-3)
