import ast
import inspect

import numpy as np
import pytest
import torch

from tfseg.models import registry
from tfseg.models.poolings.gap import GlobalAveragePooling
from tfseg.models.poolings.gmp import GlobalMaxPooling
from tfseg.models.poolings.gwrp import GlobalWeightedRankPooling
from tfseg.models.registry import systems
from tfseg.models.systems import build_network
from tfseg.models.trunks.vgg import VggTrunk


@pytest.fixture
def logmel():
    return torch.randn(3, 12, 13, generator=torch.Generator().manual_seed(1)) * 2 - 5


MASK_SYSTEMS = [name for name, system in systems().items() if system.has_masks]


@pytest.mark.parametrize("system", MASK_SYSTEMS)
def test_a_system_with_masks_turns_logmel_into_tags_and_masks(build_tiny, logmel, system):
    network = build_tiny(system).eval()
    with torch.inference_mode():
        tags, masks = network(logmel)
        # Attention sees more than the masks: test_soft_poolings.
        pooled = tags if system == "tf_attention" else network.pooling(masks)
    assert tags.shape == (3, 3)
    assert masks.shape == (3, 3, 12, 13)
    assert ((tags >= 0) & (tags <= 1)).all()
    assert ((masks >= 0) & (masks <= 1)).all()
    assert masks.std() > 0.01
    np.testing.assert_allclose(tags, pooled, atol=1e-6)


@pytest.mark.parametrize("system", [name for name in systems() if name not in MASK_SYSTEMS])
def test_a_system_without_masks_turns_logmel_into_tags_and_frame_scores(full_config, system):
    network = build_network(
        system,
        n_classes=3,
        n_mels=16,
        trunk_settings=full_config["trunk"],
        pooling_settings=full_config["pooling"],
        baseline_settings=full_config["baselines"],
    ).eval()
    assert not network.has_masks
    network.band_mean += 5
    with torch.inference_mode():
        tags, frames = network(torch.full((2, 90, 16), 5.0))
        zero_tags, _ = network.network(torch.zeros(2, 90, 16))
    assert tags.shape == (2, 3)
    assert frames.shape == (2, 3, 90)
    torch.testing.assert_close(tags, zero_tags)  # its input was standardised


def test_the_background_is_what_no_event_claims_and_only_trained(build_tiny, logmel):
    network = build_tiny("gap", background=True).train()
    tags, masks = network(logmel)
    assert tags.shape == (3, 4)
    assert masks.shape == (3, 4, 12, 13)
    expected = (1 - masks[:, :3].sum(dim=1)).clamp(0, 1)
    torch.testing.assert_close(masks[:, 3], expected)
    tags, masks = network.eval()(logmel)
    assert tags.shape == (3, 3)
    assert masks.shape == (3, 3, 12, 13)


@pytest.mark.parametrize("n_frames", [8192, 9000])
def test_a_long_recording_is_masked_stretch_by_stretch_to_the_same_masks(build_tiny, n_frames):
    network = build_tiny("gap", n_mels=2, widths=(2, 2, 2)).eval()
    logmel = torch.randn(1, n_frames, 2, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        _, masks = network(logmel)
        whole = network.trunk(logmel).sigmoid()  # its mean is 0 and its deviation 1 here
    torch.testing.assert_close(masks, whole, atol=1e-6, rtol=0)


def test_systems_have_the_trunk_and_pooling_of_their_name(build_tiny):
    expected = {
        "gmp": GlobalMaxPooling,
        "gap": GlobalAveragePooling,
        "gwrp": GlobalWeightedRankPooling,
    }
    for system, pooling in expected.items():
        network = build_tiny(system)
        assert type(network.pooling) is pooling
        assert type(network.trunk) is VggTrunk
    assert set(expected) <= set(systems())


def test_the_settings_of_the_config_reach_the_network(full_config):
    network = build_network(
        "gwrp",
        n_classes=41,
        n_mels=full_config["features"]["n_mels"],
        trunk_settings=full_config["trunk"],
        pooling_settings=full_config["pooling"],
    )
    assert sum(p.numel() for p in network.parameters()) == 587593
    assert (network.pooling.r, network.pooling.reference_units) == (0.9998, 311 * 64)


def test_systems_differ_in_their_pooling_only(build_tiny, logmel):
    networks = {system: build_tiny(system).eval() for system in ("gmp", "gap", "gwrp")}
    for network in networks.values():
        network.load_state_dict(networks["gap"].state_dict())
    with torch.inference_mode():
        (gmp, m1), (gap, m2), (gwrp, m3) = (networks[s](logmel) for s in ("gmp", "gap", "gwrp"))
    assert torch.equal(m1, m2)
    assert torch.equal(m2, m3)
    assert (gap < gwrp).all()
    assert (gwrp < gmp).all()


def test_the_input_is_standardised_by_band(build_tiny, logmel):
    network = build_tiny().eval()
    mean = torch.linspace(-9, 3, 13)
    std = torch.linspace(0.5, 4, 13)
    network.band_mean.copy_(mean)
    network.band_std.copy_(std)
    with torch.inference_mode():
        _, masks = network(logmel)
        expected = network.trunk((logmel - mean[None, None]) / std[None, None]).sigmoid()
    np.testing.assert_allclose(masks, expected, atol=1e-6)


def test_an_untrained_network_leaves_the_input_as_it_is(build_tiny, logmel):
    network = build_tiny().eval()
    with torch.inference_mode():
        np.testing.assert_allclose(network(logmel)[1], network.trunk(logmel).sigmoid(), atol=1e-6)


def test_the_standardisation_is_saved_with_the_weights_and_not_learned(build_tiny):
    network = build_tiny()
    assert {"band_mean", "band_std"} <= set(network.state_dict())
    assert not {"band_mean", "band_std"} & {name for name, _ in network.named_parameters()}


def test_tags_never_exceed_one_by_a_rounding_error(build_tiny):
    network = build_tiny("gwrp", widths=(2,)).eval()
    with torch.inference_mode():
        network.trunk.head.bias.fill_(100)  # masks of exactly one
        tags, masks = network(torch.zeros(2, 311, 13))
    assert masks.min() == 1
    assert tags.max() <= 1
    np.testing.assert_allclose(tags, 1, atol=1e-5)


@pytest.mark.parametrize("system", systems())
@pytest.mark.parametrize("training", [True, False])
def test_in_bfloat16_outputs_are_float32_and_close(build_narrow, system, training):
    torch.manual_seed(3)
    network = build_narrow(system)
    logmel = torch.randn(4, 60, 16)
    network.train()(logmel)  # statistics of batch normalisation
    network.train(training)
    found = {}
    for precision in ("float32", "bfloat16"):
        network.precision = precision
        torch.manual_seed(4)  # dropout
        found[precision] = network(logmel)
        found[precision][0].sum().backward()
        assert all(p.grad is None or p.grad.dtype == torch.float32 for p in network.parameters())
    for exact, low in zip(*found.values(), strict=True):
        assert low.dtype == torch.float32
        assert not torch.equal(exact, low)  # it was used
        torch.testing.assert_close(low, exact, atol=0.08, rtol=0)


def test_masks_of_a_bfloat16_trunk_have_the_resolution_of_float32(build_tiny, logmel):
    network = build_tiny("gwrp").eval()
    network.precision = "bfloat16"
    with torch.inference_mode():
        tags, masks = network(logmel)
        expected = network.pooling(masks)
    logits = torch.logit(masks.double())
    torch.testing.assert_close(logits, logits.bfloat16().double(), atol=1e-6, rtol=1e-4)
    assert not torch.equal(masks, masks.bfloat16().float())
    torch.testing.assert_close(tags, expected, atol=1e-6, rtol=0)


def test_a_pooling_without_arguments_needs_no_entry():
    settings = {
        "trunk_settings": {
            "kind": "vgg",
            "vgg": {"widths": [2], "dropout": 0.0},
            "background": False,
            "share_energy": False,
        },
        "pooling_settings": {},
    }
    assert build_network("gap", n_classes=2, n_mels=3, **settings)(torch.zeros(1, 4, 3))


def test_an_unknown_system_is_refused(build_tiny):
    with pytest.raises(KeyError, match="no_separation"):
        build_tiny("no_separation")


def test_the_registry_imports_nothing_heavy():
    tree = ast.parse(inspect.getsource(registry))
    imported = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    modules = {
        name
        for node in imported
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert modules == {
        "dataclasses",
        "functools",
        "importlib",
        "pathlib",
        "tfseg.errors",
        "tfseg.io.declarations",
    }


@pytest.mark.parametrize("kind", ["vgg", "unet", "dilated"])
@pytest.mark.parametrize("background", [False, True])
def test_masks_that_share_the_energy_leave_the_rest_to_the_background(
    full_config, logmel, kind, background
):
    trunk = full_config["trunk"] | {"kind": kind, "share_energy": True, "background": background}
    network = build_network(
        "linear_softmax",
        n_classes=3,
        n_mels=13,
        trunk_settings=trunk,
        pooling_settings=full_config["pooling"],
    )
    tags, masks = network.eval()(logmel)
    assert masks.shape == (3, 3, 12, 13)
    assert tags.shape == (3, 3)
    assert (masks >= 0).all()
    assert (masks.sum(dim=1) < 1 + 1e-6).all()
    tags, masks = network.train()(logmel)
    assert masks.shape[1] == tags.shape[1] == 3 + background
    if background:
        np.testing.assert_allclose(masks.sum(dim=1).detach(), 1, atol=1e-6)


@pytest.mark.parametrize("system", MASK_SYSTEMS)
def test_every_pooling_takes_masks_that_share_the_energy(full_config, logmel, system):
    network = build_network(
        system,
        n_classes=3,
        n_mels=13,
        trunk_settings=full_config["trunk"]
        | {"share_energy": True, "vgg": {"widths": [4], "dropout": 0.0}},
        pooling_settings=full_config["pooling"],
    )
    network.precision = "bfloat16"  # with logits of bfloat16 GWRP counts; there are none here
    tags, _ = network(logmel)
    tags.sum().backward()
    assert ((tags >= 0) & (tags <= 1)).all()
    assert network.trunk.head.weight.grad.abs().sum() > 0
