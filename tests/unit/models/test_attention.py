import numpy as np
import pytest
import torch
from small_baselines import BASELINES, PUBLISHED, random_input
from torch.nn import functional

from tfseg.models.networks.attention import GatedBlock, build

BASELINE = BASELINES["attention"]
SMALL = BASELINE.settings


@pytest.fixture
def small():
    return BASELINE.settled()


def test_the_published_size():
    # A normalisation has two parameters for each of 128 maps.
    convolutions = 9 * 128 + 7 * 9 * 64 * 128 + 8 * 2 * 128 + 9 * 64 * 256 + 256
    grus = 2 * 2 * 3 * 128 * (256 + 128 + 2)
    dense = 2 * (256 + 1) * 41
    n_parameters = sum(p.numel() for p in build(41, 64, **PUBLISHED["attention"]).parameters())
    assert n_parameters == convolutions + grus + dense


@pytest.mark.parametrize(
    ("mel", "stages", "n_bands"), [(64, 4, 4), (32, 4, 2), (16, 4, 1), (8, 4, 1), (13, 4, 1)]
)
def test_pools_halve_mel_alone_and_end_at_one_band(mel, stages, n_bands):
    network = build(3, mel, **(SMALL | {"stages": stages})).eval()
    with torch.inference_mode():
        assert network.convolutions(random_input(1, 1, 21, mel)).shape[2:] == (21, n_bands)
    assert sum(isinstance(m, GatedBlock) for m in network.modules()) == 2 * stages


def test_a_block_is_convolution_normalisation_and_gate():
    torch.manual_seed(0)
    block = GatedBlock(2, 3)
    inputs = random_input(4, 2, 6, 5)
    found = block(inputs).detach()
    maps = functional.conv2d(inputs, block.convolution.weight, padding=1).detach()
    mean = maps.mean(dim=(0, 2, 3), keepdim=True)
    std = maps.var(dim=(0, 2, 3), unbiased=False, keepdim=True).add(1e-5).sqrt()
    maps = (maps - mean) / std
    np.testing.assert_allclose(found, maps[:, :3] * maps[:, 3:].sigmoid(), atol=1e-5)


def _hooked(network, inputs):
    """Tags, frames, and the logits of scores and of attention [shape=(batch, time, class)]."""
    found = {}
    for name in ("localisation", "attention"):
        getattr(network, name).register_forward_hook(
            lambda layer, inputs, output, name=name: found.update({name: output.numpy()})
        )
    with torch.inference_mode():
        tags, frames = network(inputs)
    return tags, frames, found["localisation"], found["attention"]


def test_the_tag_is_the_mean_of_frame_scores_weighted_by_attention(small):
    with torch.no_grad():  # untrained, scores and attention hardly vary
        small.localisation.weight.mul_(20)
        small.attention.weight.mul_(20)
    tags, frames, localisation, attention = _hooked(small, random_input(2, 40, 16))
    scores = 1 / (1 + np.exp(-localisation))
    weights = np.exp(attention)
    weights /= weights.sum(axis=2, keepdims=True)  # over classes
    np.testing.assert_allclose(tags, (scores * weights).sum(1) / weights.sum(1), atol=1e-5)
    np.testing.assert_allclose(frames, scores.transpose(0, 2, 1), atol=1e-6)


def test_a_class_without_attention_still_has_a_tag(small):
    with torch.no_grad():
        small.attention.bias[2] = -200  # its softmax is zero in float32
    tags, frames, *_ = _hooked(small, random_input(2, 40, 16))
    np.testing.assert_allclose(tags[:, 2], frames[:, 2].mean(dim=1), atol=1e-5)


def test_of_one_class_the_tag_is_the_plain_mean():
    torch.manual_seed(0)
    with torch.inference_mode():
        tags, frames = build(1, 16, **SMALL).eval()(random_input(2, 40, 16))
    np.testing.assert_allclose(tags, frames.mean(dim=2), atol=1e-6)


def test_the_second_gru_gates_the_first(small):
    found = {}
    for name in ("gru", "gru_gate"):
        getattr(small, name).register_forward_hook(
            lambda layer, inputs, output, name=name: found.update({name: output[0]})
        )
    small.localisation.register_forward_hook(
        lambda layer, inputs, output: found.update(gated=inputs[0])
    )
    with torch.inference_mode():
        small(random_input(2, 40, 16))
    np.testing.assert_allclose(
        found["gated"], found["gru"] * found["gru_gate"].sigmoid(), atol=1e-6
    )


def test_the_grus_see_the_largest_value_of_the_bands_left():
    network, found = BASELINE.settled(64), {}
    network.convolutions.register_forward_hook(
        lambda layer, inputs, output: found.update(maps=output)
    )
    network.gru.register_forward_hook(
        lambda layer, inputs, output: found.update(sequence=inputs[0])
    )
    with torch.inference_mode():
        network(random_input(2, 20, 64))
    assert found["maps"].shape == (2, 16, 20, 4)
    np.testing.assert_array_equal(
        found["sequence"], found["maps"].numpy().max(axis=3).transpose(0, 2, 1)
    )


def test_frames_respond_most_where_the_input_changes(small):
    inputs = random_input(1, 120, 16)
    changed = inputs.clone()
    changed[:, 60:64] += 10
    with torch.inference_mode():
        moved = (small(inputs)[1] - small(changed)[1]).abs().amax(dim=1)[0]
    # Convolutions reach 9 frames; the GRUs reach all, but forget.
    assert 60 - 9 <= moved.argmax() <= 63 + 9
    assert moved[:20].max() < 0.1 * moved.max()
    assert moved[-20:].max() < 0.1 * moved.max()
