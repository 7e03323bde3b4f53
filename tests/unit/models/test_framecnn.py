import numpy as np
import pytest
import torch
from small_baselines import BASELINES, PUBLISHED, random_input

from tfseg.models.networks.framecnn import build

BASELINE = BASELINES["framecnn"]
SMALL = BASELINE.settings


@pytest.fixture
def small():
    return BASELINE.settled()


def test_the_published_size():
    c, k = 64, 41
    convolutions = 3 * (c * c + c * 2 * c + 2 * c * 3 * c + 3 * c * 3 * c)
    normalisations = 2 * (c + c + 2 * c + 3 * c + 3 * c)
    dense = (3 * c + 1) * 1024 + (1024 + 1) * 1024 + (1024 + 1) * k
    detection = attention = 3 * 3 * c * k + k
    n_parameters = sum(p.numel() for p in build(k, c, **PUBLISHED["framecnn"]).parameters())
    assert n_parameters == convolutions + normalisations + dense + detection + attention


@pytest.mark.parametrize(("time", "n_coarse"), [(311, 20), (77, 5), (16, 1), (17, 2), (3, 1)])
def test_the_remainder_is_a_coarse_frame_too(small, time, n_coarse):
    with torch.inference_mode():
        assert small.trunk(random_input(1, 16, time)).shape == (1, 48, n_coarse)
    assert small.stride == 16


def test_tag_and_frames_come_from_the_two_branches(small):
    found = {}
    for name in ("classification", "detection", "attention"):
        getattr(small, name).register_forward_hook(
            lambda layer, inputs, output, name=name: found.update({name: output.numpy()})
        )
    with torch.inference_mode():
        tags, frames = small(random_input(2, 77, 16))
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
        small(random_input(2, 77, 16))
    np.testing.assert_allclose(found[1][0], found[0].mean(dim=2), atol=1e-6)


def test_a_change_is_seen_where_it_is_and_not_beyond_the_reach(small):
    inputs = random_input(1, 320, 16)
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
