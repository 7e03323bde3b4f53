"""Fine-tuning: what is kept of a model, and what it refuses to start from."""

import copy

import pytest
import torch
from small_model import FEATURES

from tfseg.errors import ConfigError
from tfseg.models.systems import network_of
from tfseg.models.weights_fit import reasons_against
from tfseg.training.start_from import keep_weights, what_is_kept

TRUNK = {
    "kind": "vgg",
    "vgg": {"widths": [4, 4], "dropout": 0.0},
    "background": False,
    "share_energy": False,
}
BASELINES = {
    "dnn": {"widths": [8], "dropout": 0.0},
    "attention": {"stages": 1, "gated_maps": 2, "output_maps": 3, "gru_units": 2},
}
LOGMEL = torch.randn(2, 12, FEATURES.n_mels, generator=torch.Generator().manual_seed(1))


def describe(network, classes, **trunk):
    return {
        "system": "mine", "network": network, "classes": list(classes), "pooling": {"auto": {"alpha": 5.0}},
        "features": FEATURES.as_dict(), "trunk": TRUNK | trunk, "baselines": BASELINES,
        "weights_sha256": "0" * 64,
    }  # fmt: skip


def build(description, seed):
    """Build a network whose every value is its own."""
    torch.manual_seed(seed)
    network = network_of(description)
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.copy_(0.5 * torch.rand_like(value) + 0.1)
        for value in network.parameters():
            value.copy_(0.3 * torch.randn_like(value) if value.ndim > 1 else value)
    return network.eval()


def fine_tuned(network, before, after, **trunk):
    """Outputs of a model, and of the network that starts from it."""
    start, wanted = describe(network, before, **trunk), describe(network, after, **trunk)
    model, new = build(start, 1), build(wanted, 2)
    keep_weights(new, wanted, model, start)
    with torch.inference_mode():
        return model(LOGMEL), new(LOGMEL)


NETWORKS = ["gap", "auto", "tf_attention", "dnn"]


@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("network", NETWORKS)
def test_with_the_same_classes_the_first_output_is_the_models(network, background):
    model, new = fine_tuned(network, "ab", "ab", background=background)
    for of_model, of_new in zip(model, new, strict=True):
        assert torch.equal(of_model, of_new)


@pytest.mark.parametrize("after, kept", [("cab", {0: 1, 1: 2}), ("b", {1: 0}), ("bcd", {1: 0})])
@pytest.mark.parametrize("network", NETWORKS)
def test_classes_keep_their_outputs_whatever_is_added_or_left_out(network, after, kept):
    model, new = fine_tuned(network, "ab", after, background=True)
    for of_model, of_new in zip(model, new, strict=True):
        for before, now in kept.items():
            torch.testing.assert_close(of_new[:, now], of_model[:, before], rtol=0, atol=1e-6)
        news = [k for k in range(len(after)) if k not in kept.values()]
        assert all(not torch.allclose(of_new[:, k], of_model[:, 0]) for k in news)


def test_energy_is_shared_with_the_rest_that_was_trained():
    model, new = fine_tuned("gap", "ab", "ba", share_energy=True)
    torch.testing.assert_close(new[1][:, [1, 0]], model[1])


def test_another_pooling_starts_with_its_own_values():
    start, wanted = describe("auto", "ab"), describe("gap", "ab")
    model, new = build(start, 1), build(wanted, 2)
    keep_weights(new, wanted, model, start)
    assert torch.equal(new.trunk.head.weight, model.trunk.head.weight)
    assert not what_is_kept(start, wanted)["kept_pooling"]


def test_the_facts_name_the_classes():
    facts = what_is_kept(describe("gap", "abc"), describe("gap", "cd"))
    assert (facts["kept_classes"], facts["new_classes"]) == (["c"], ["d"])
    assert facts["dropped_classes"] == ["a", "b"]


@pytest.mark.parametrize(
    "keys, value, words",
    [
        (("features", "sample_rate"), 16000, "features.sample_rate is 16000 here, and 8000 there"),
        (("features", "n_mels"), 64, "features.n_mels is 64 here, and 16 there"),
        (("features", "hop_length"), 64, "features.hop_length"),
        (("trunk", "kind"), "unet", "trunk.kind is unet here, and vgg there"),
        (("trunk", "vgg", "widths"), [4, 8], "trunk.vgg is {'widths': [4, 8]} here"),
        (("trunk", "share_energy"), True, "trunk.share_energy"),
        (("network",), "dnn", "system is dnn here, and something else there"),
    ],
)
def test_weights_that_do_not_fit_are_refused_with_the_reason(keys, value, words):
    start = describe("gap", "ab")
    wanted = copy.deepcopy(start)
    place = wanted
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    assert any(words in reason for reason in reasons_against(start, wanted))
    with pytest.raises(ConfigError, match="do not fit"):
        what_is_kept(start, wanted)


def test_what_makes_no_weights_may_differ():
    wanted = describe("gap", "ab", vgg={"widths": [4, 4], "dropout": 0.5})
    wanted["features"]["ibm_criterion_db"] = 0.0
    assert reasons_against(describe("gmp", "ab"), wanted) == []
