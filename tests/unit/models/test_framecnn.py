from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch.nn import functional

from tfseg.models.networks.framecnn import build

REPOSITORY = Path(__file__).parents[3]
PUBLISHED = yaml.safe_load((REPOSITORY / "config.yaml").read_text())["baselines"]["framecnn"]
SMALL = {"width_factors": [1, 2, 3, 3], "dense_units": 32, "dropout": 0.2}


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


def test_the_published_size():
    c, k = 64, 41
    convolutions = 3 * (c * c + c * 2 * c + 2 * c * 3 * c + 3 * c * 3 * c)
    normalisations = 2 * (c + c + 2 * c + 3 * c + 3 * c)
    dense = (3 * c + 1) * 1024 + (1024 + 1) * 1024 + (1024 + 1) * k
    detection = attention = 3 * 3 * c * k + k
    n_parameters = sum(p.numel() for p in build(k, c, **PUBLISHED).parameters())
    assert n_parameters == convolutions + normalisations + dense + detection + attention


@pytest.mark.parametrize(("time", "n_coarse"), [(311, 20), (77, 5), (16, 1), (17, 2), (3, 1)])
def test_the_remainder_is_a_coarse_frame_too(small, time, n_coarse):
    with torch.inference_mode():
        assert small.trunk(_input(1, 16, time)).shape == (1, 48, n_coarse)
    assert small.stride == 16


def test_tag_and_frames_come_from_the_two_branches(small):
    found = {}
    for name in ("classification", "detection", "attention"):
        getattr(small, name).register_forward_hook(
            lambda layer, inputs, output, name=name: found.update({name: output.numpy()})
        )
    with torch.inference_mode():
        tags, frames = small(_input(2, 77, 16))
    classification = 1 / (1 + np.exp(-found["classification"]))
    detection = 1 / (1 + np.exp(-found["detection"]))
    weights = np.exp(found["attention"])
    weights /= weights.sum(axis=2, keepdims=True)
    assert detection.shape == weights.shape == (2, 5, 5)
    expected = (classification + (weights * detection).sum(axis=2)) / 2
    np.testing.assert_allclose(tags, expected, atol=1e-6)
    np.testing.assert_allclose(frames, detection.repeat(16, axis=2)[:, :, :77], atol=1e-6)


def test_classification_sees_the_mean_over_time(small):
    found = []
    small.classification.register_forward_hook(lambda layer, inputs, output: found.append(inputs))
    small.trunk.register_forward_hook(lambda layer, inputs, output: found.append(output))
    with torch.inference_mode():
        small(_input(2, 77, 16))
    np.testing.assert_allclose(found[1][0], found[0].mean(dim=2), atol=1e-6)


def test_a_change_is_seen_where_it_is_and_not_beyond_the_reach(small):
    inputs = _input(1, 320, 16)
    changed = inputs.clone()
    changed[:, 165] += 10
    with torch.inference_mode():
        moved = (small(inputs)[1] - small(changed)[1]).abs().amax(dim=1)[0]
    frames = moved.nonzero()[:, 0]
    # Two convolutions at 1, one at 4 and two at 16 frames (the last is detection): 38 frames from
    # the ends of the coarse frame.
    assert (moved[160:176] > 0).all()
    assert frames.min() >= 165 - 38 - 15
    assert frames.max() <= 165 + 38 + 15


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


def test_layers_come_in_the_published_order(small):
    names = [type(layer).__name__ for layer in small.trunk]
    block = ["BatchNorm1d", "ReLU", "Conv1d"]
    assert names == [
        *("BatchNorm1d", "Conv1d"),
        *block,
        *("MaxPool1d", *block),
        *("MaxPool1d", *block),
        *("BatchNorm1d", "ReLU"),
    ]


def test_dropout_works_in_training_with_the_given_rate(small):
    rates = [m.p for m in small.modules() if isinstance(m, torch.nn.Dropout)]
    assert rates == [SMALL["dropout"]] * 4


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
