import numpy as np
import pytest
import torch
from small_baselines import BASELINES, PUBLISHED, random_input

from tfseg.models.networks.dnn import build

BASELINE = BASELINES["dnn"]
SMALL = BASELINE.settings


@pytest.fixture
def small():
    return BASELINE.settled()


def test_the_published_size():
    n_parameters = sum(p.numel() for p in build(41, 64, **PUBLISHED["dnn"]).parameters())
    assert n_parameters == (64 + 1) * 500 + 2 * (500 + 1) * 500 + (500 + 1) * 41


def test_the_tag_is_the_largest_frame_score(small):
    with torch.inference_mode():
        tags, frames = small(random_input(3, 40, 16))
    np.testing.assert_array_equal(tags, frames.amax(dim=2))


def test_the_layers_are_dense_relu_and_sigmoid(small):
    inputs = random_input(2, 9, 16)
    values = inputs
    first, second = small.hidden[0], small.hidden[3]
    for dense in (first, second):
        values = (values @ dense.weight.T + dense.bias).clamp(min=0)
    values = torch.sigmoid(values @ small.output.weight.T + small.output.bias)
    with torch.inference_mode():
        frames = small(inputs)[1]
    np.testing.assert_allclose(frames, values.detach().transpose(1, 2), atol=1e-6)


def test_a_frame_score_depends_on_its_frame_alone(small):
    inputs = random_input(2, 40, 16)
    changed = inputs.clone()
    changed[:, 17] += 3
    with torch.inference_mode():
        differs = (small(inputs)[1] != small(changed)[1]).any(dim=1)
    assert differs.nonzero()[:, 1].tolist() == [17, 17]


def test_dropout_works_in_training_with_the_given_rate(small):
    assert {m.p for m in small.modules() if isinstance(m, torch.nn.Dropout)} == {SMALL["dropout"]}
    inputs = random_input(1, 40, 16)
    small.train()
    with torch.no_grad():
        assert (small(inputs)[1] != small(inputs)[1]).any()
