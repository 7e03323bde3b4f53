from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch.nn import functional

from tfseg.models.networks.dnn import build

REPOSITORY = Path(__file__).parents[3]
PUBLISHED = yaml.safe_load((REPOSITORY / "config.yaml").read_text())["baselines"]["dnn"]
SMALL = {"widths": [64, 64], "dropout": 0.2}


@pytest.fixture(autouse=True)
def one_thread():
    """Networks as small as these are slower with several threads on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _input(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def small():
    torch.manual_seed(0)
    return build(5, 16, **SMALL).eval()


def test_the_published_size():
    n_parameters = sum(p.numel() for p in build(41, 64, **PUBLISHED).parameters())
    assert n_parameters == (64 + 1) * 500 + 2 * (500 + 1) * 500 + (500 + 1) * 41


def test_the_tag_is_the_largest_frame_score(small):
    with torch.inference_mode():
        tags, frames = small(_input(3, 40, 16))
    np.testing.assert_array_equal(tags, frames.amax(dim=2))


def test_the_layers_are_dense_relu_and_sigmoid(small):
    inputs = _input(2, 9, 16)
    values = inputs
    first, second = small.hidden[0], small.hidden[3]
    for dense in (first, second):
        values = (values @ dense.weight.T + dense.bias).clamp(min=0)
    values = torch.sigmoid(values @ small.output.weight.T + small.output.bias)
    with torch.inference_mode():
        frames = small(inputs)[1]
    np.testing.assert_allclose(frames, values.detach().transpose(1, 2), atol=1e-6)


def test_a_frame_score_depends_on_its_frame_alone(small):
    inputs = _input(2, 40, 16)
    changed = inputs.clone()
    changed[:, 17] += 3
    with torch.inference_mode():
        differs = (small(inputs)[1] != small(changed)[1]).any(dim=1)
    assert differs.nonzero()[:, 1].tolist() == [17, 17]


def test_dropout_works_in_training_with_the_given_rate(small):
    assert {m.p for m in small.modules() if isinstance(m, torch.nn.Dropout)} == {SMALL["dropout"]}
    inputs = _input(1, 40, 16)
    small.train()
    with torch.no_grad():
        assert (small(inputs)[1] != small(inputs)[1]).any()


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
    for _ in range(80):
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
