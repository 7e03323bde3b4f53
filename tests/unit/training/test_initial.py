"""First weights, standardisation, weak labels."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tfseg.training.initial import band_statistics, idle_classes, initial_network, targets_of


def test_band_statistics_are_numpys():
    logmel = np.random.default_rng(0).normal(-7, [[[1, 3, 0.1]]], (20, 15, 3)).astype(np.float16)
    mean, std = band_statistics(logmel)
    flat = logmel.reshape(-1, 3).astype(np.float64)
    np.testing.assert_allclose(mean, flat.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(std, flat.std(axis=0), rtol=1e-9)


def test_a_constant_band_is_standardised_to_zero():
    logmel = np.random.default_rng(0).normal(size=(500, 40, 3)).astype(np.float16)
    logmel[:, :, 1] = np.log(1e-8)  # what silence gives
    mean, std = band_statistics(logmel)
    assert std[1] == 1
    assert mean[1] == pytest.approx(float(np.float16(np.log(1e-8))), rel=1e-12)
    assert (std[[0, 2]] != 1).all()


def test_the_initial_network_is_seeded_and_standardised(toy, build_tiny):
    def weights(seed):
        return initial_network(build_tiny, seed, toy[0]).state_dict()

    torch.manual_seed(1)
    state = torch.get_rng_state()
    one = weights(3)
    assert torch.equal(torch.get_rng_state(), state)  # no other random numbers depend on it
    torch.manual_seed(2)
    assert all(torch.equal(a, b) for a, b in zip(one.values(), weights(3).values(), strict=True))
    assert not torch.equal(one["trunk.head.weight"], weights(4)["trunk.head.weight"])
    mean, std = band_statistics(toy[0])
    np.testing.assert_allclose(one["band_mean"], mean, rtol=1e-6)
    np.testing.assert_allclose(one["band_std"], std, rtol=1e-6)


def test_classes_whose_tags_teach_nothing_are_named():
    classes = ("Bark", "Chime", "Gong")
    data = SimpleNamespace(classes=classes, target=np.array([[1, 0, 0], [1, 1, 0]], np.uint8))
    always, never = idle_classes(data)
    assert "Bark: sounds in every clip" in always and "Gong: sounds in no clip" in never
    data.target = np.array([[1, 0, 1], [0, 1, 0]], np.uint8)
    assert idle_classes(data) == []


def test_the_background_sounds_in_everything_but_events_alone():
    data = SimpleNamespace(target=np.eye(3, dtype=np.uint8), kind=["mixture", "events", "scene"])
    network = SimpleNamespace(has_background=False)
    assert targets_of(network, data) is data.target
    network.has_background = True
    assert targets_of(network, data)[:, 3].tolist() == [1, 0, 1]
    assert (targets_of(network, data)[:, :3] == data.target).all()
