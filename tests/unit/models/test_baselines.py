"""Requirements on every baseline, independent of its layers."""

import numpy as np
import pytest
import torch
from small_baselines import BASELINES, random_input
from torch.nn import functional


@pytest.fixture(params=BASELINES)
def baseline(request):
    return BASELINES[request.param]


@pytest.fixture
def small(baseline):
    return baseline.settled()


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("n_classes", [1, 5])
@pytest.mark.parametrize(("time", "mel"), [(311, 64), (77, 32), (10, 16), (3, 16), (45, 13)])
def test_tags_and_frames_are_probabilities_on_the_inputs_grid(
    baseline, time, mel, n_classes, training
):
    torch.manual_seed(0)
    network = baseline.build(n_classes, mel, **baseline.settings).train(training)
    with torch.no_grad():
        tags, frames = network(10 * random_input(2, time, mel))
    assert tags.shape == (2, n_classes)
    assert frames.shape == (2, n_classes, time)
    for scores in (tags, frames):
        assert scores.dtype == torch.float32
        assert ((scores >= 0) & (scores <= 1)).all()
    # Without statistics of its batch normalisation a network has hardly any signal.
    if training or not baseline.normalises:
        assert frames.std() > 0.001


def test_evaluation_is_deterministic_and_training_is_not_part_of_it(small):
    inputs = random_input(2, 77, 16)
    with torch.inference_mode():
        first, second = small(inputs), small(inputs)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_clips_do_not_see_each_other_when_evaluated(small):
    inputs = random_input(3, 50, 16)
    with torch.inference_mode():
        tags, frames = small(inputs)
        for clip in range(3):
            alone = small(inputs[clip : clip + 1])
            np.testing.assert_allclose(alone[0][0], tags[clip], atol=1e-5)
            np.testing.assert_allclose(alone[1][0], frames[clip], atol=1e-5)


def _own_loss(network, target):
    """What a network adds to the loss of its tags."""
    return network.own_loss(target) if hasattr(network, "own_loss") else 0


def test_gradients_reach_every_parameter(small):
    tags, frames = small.train()(random_input(4, 77, 16))
    own_loss = _own_loss(small, torch.ones(4, 5))
    (tags.square().mean() + frames.square().mean() + own_loss).backward()
    for name, parameter in small.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_tags_and_what_a_network_adds_to_their_loss_train_every_parameter(small):
    loss = small.train()(random_input(4, 77, 16))[0].square().mean()
    (loss + _own_loss(small, torch.ones(4, 5))).backward()
    for name, parameter in small.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_half_silent_input_gives_finite_scores_and_gradients(small):
    inputs = random_input(4, 77, 16)
    inputs[:, 30:] = -8
    inputs[0] = -8  # and one clip is silent throughout
    inputs.requires_grad_()
    tags, frames = small.train()(inputs)
    loss = functional.binary_cross_entropy(tags, torch.ones_like(tags))
    (loss + _own_loss(small, torch.ones_like(tags))).backward()
    assert tags.isfinite().all()
    assert frames.isfinite().all()
    assert inputs.grad.isfinite().all()
    for name, parameter in small.named_parameters():
        assert parameter.grad.isfinite().all(), name


def test_it_can_learn_eight_clips_by_heart(baseline):
    torch.manual_seed(0)
    network = baseline.build(4, 16, **baseline.settings).train()
    inputs = random_input(8, 40, 16)
    targets = (torch.rand(8, 4, generator=torch.Generator().manual_seed(2)) < 0.5).float()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(baseline.n_steps):
        loss = functional.binary_cross_entropy(network(inputs)[0], targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < losses[0] / 4


def _averaging(network):
    """Let every layer average its inputs, so that an impulse spreads evenly to both sides."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim > 1:
                parameter.fill_(parameter.shape[0] / parameter.numel())
    return network.double()


@pytest.mark.parametrize("name", ["wldcnn", "framecnn"])  # those that pool time
@pytest.mark.parametrize("time", [149, 150, 153, 156, 159, 160, 170])
def test_an_impulse_has_its_frame_scores_around_it(name, time):
    network = _averaging(BASELINES[name].build(1, 16, **BASELINES[name].settings).eval())
    inputs = torch.zeros(1, 320, 16, dtype=torch.float64)
    changed = inputs.clone()
    changed[:, time] = 100
    with torch.inference_mode():
        moved = (network(changed)[1] - network(inputs)[1])[0, 0].numpy()
    assert (moved >= 0).all()
    centre = (moved * np.arange(320)).sum() / moved.sum()
    assert abs(centre - time) <= network.stride / 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_cpus_scores(small):
    inputs = random_input(2, 77, 16)
    with torch.inference_mode():
        expected = small(inputs)
        found = small.to("cuda", memory_format=torch.channels_last)(inputs.cuda())
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.cpu(), b, atol=2e-3)
