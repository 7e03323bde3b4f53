from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch.nn import functional

from tfseg.models.networks.attention import GatedBlock, build

REPOSITORY = Path(__file__).parents[3]
PUBLISHED = yaml.safe_load((REPOSITORY / "config.yaml").read_text())["baselines"]["attention"]
SMALL = {"stages": 4, "gated_maps": 6, "output_maps": 16, "gru_units": 16}


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
        for _ in range(10):
            network(_input(4, 60, mel))
    return network.eval()


@pytest.fixture
def small():
    return _settled(16)


def test_the_published_size():
    # A normalisation has two parameters for each of 128 maps.
    convolutions = 9 * 128 + 7 * 9 * 64 * 128 + 8 * 2 * 128 + 9 * 64 * 256 + 256
    grus = 2 * 2 * 3 * 128 * (256 + 128 + 2)
    dense = 2 * (256 + 1) * 41
    n_parameters = sum(p.numel() for p in build(41, 64, **PUBLISHED).parameters())
    assert n_parameters == convolutions + grus + dense


@pytest.mark.parametrize(
    ("mel", "stages", "n_bands"), [(64, 4, 4), (32, 4, 2), (16, 4, 1), (8, 4, 1), (13, 4, 1)]
)
def test_pools_halve_mel_alone_and_end_at_one_band(mel, stages, n_bands):
    network = build(3, mel, **(SMALL | {"stages": stages})).eval()
    with torch.inference_mode():
        assert network.convolutions(_input(1, 1, 21, mel)).shape[2:] == (21, n_bands)
    assert sum(isinstance(m, GatedBlock) for m in network.modules()) == 2 * stages


def test_a_block_is_convolution_normalisation_and_gate():
    torch.manual_seed(0)
    block = GatedBlock(2, 3)
    inputs = _input(4, 2, 6, 5)
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
    tags, frames, localisation, attention = _hooked(small, _input(2, 40, 16))
    scores = 1 / (1 + np.exp(-localisation))
    weights = np.exp(attention)
    weights /= weights.sum(axis=2, keepdims=True)  # over classes
    np.testing.assert_allclose(tags, (scores * weights).sum(1) / weights.sum(1), atol=1e-5)
    np.testing.assert_allclose(frames, scores.transpose(0, 2, 1), atol=1e-6)


def test_a_class_without_attention_still_has_a_tag(small):
    with torch.no_grad():
        small.attention.bias[2] = -200  # its softmax is zero in float32
    tags, frames, *_ = _hooked(small, _input(2, 40, 16))
    np.testing.assert_allclose(tags[:, 2], frames[:, 2].mean(dim=1), atol=1e-5)


def test_of_one_class_the_tag_is_the_plain_mean():
    torch.manual_seed(0)
    with torch.inference_mode():
        tags, frames = build(1, 16, **SMALL).eval()(_input(2, 40, 16))
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
        small(_input(2, 40, 16))
    np.testing.assert_allclose(
        found["gated"], found["gru"] * found["gru_gate"].sigmoid(), atol=1e-6
    )


def test_the_grus_see_the_largest_value_of_the_bands_left():
    network, found = _settled(64), {}
    network.convolutions.register_forward_hook(
        lambda layer, inputs, output: found.update(maps=output)
    )
    network.gru.register_forward_hook(
        lambda layer, inputs, output: found.update(sequence=inputs[0])
    )
    with torch.inference_mode():
        network(_input(2, 20, 64))
    assert found["maps"].shape == (2, 16, 20, 4)
    np.testing.assert_array_equal(
        found["sequence"], found["maps"].numpy().max(axis=3).transpose(0, 2, 1)
    )


def test_frames_respond_most_where_the_input_changes(small):
    inputs = _input(1, 120, 16)
    changed = inputs.clone()
    changed[:, 60:64] += 10
    with torch.inference_mode():
        moved = (small(inputs)[1] - small(changed)[1]).abs().amax(dim=1)[0]
    # Convolutions reach 9 frames; the GRUs reach all, but forget.
    assert 60 - 9 <= moved.argmax() <= 63 + 9
    assert moved[:20].max() < 0.1 * moved.max()
    assert moved[-20:].max() < 0.1 * moved.max()


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
    for _ in range(40):
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
