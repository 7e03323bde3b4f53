"""The keys of the U-Net that can be left out, and its views."""

import numpy as np
import pytest
import torch

from tfseg.errors import ConfigError
from tfseg.models.cost import network_cost
from tfseg.models.systems import build_network
from tfseg.models.trunks.blocks import LocalGate, logit_of_both
from tfseg.models.trunks.unet import UnetTrunk

SMALL = {"widths": [4, 6, 8], "blocks": 1, "dropout": 0.0}


def _input(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _unet(seed=0, **settings):
    torch.manual_seed(seed)
    return UnetTrunk(5, **SMALL | settings)


def _network(n_classes=3, system="linear_softmax", background=False, **settings):
    torch.manual_seed(0)
    trunk = {"kind": "unet", "background": background, "share_energy": False}
    return build_network(
        system,
        n_classes=n_classes,
        n_mels=8,
        trunk_settings=trunk | {"unet": SMALL | settings},
        pooling_settings={},
    )


def test_without_the_new_keys_it_is_the_network_that_it_was():
    trunk = _unet()
    assert sum(parameter.numel() for parameter in trunk.parameters()) == 1325
    assert list(trunk.state_dict())[-2:] == ["head.weight", "head.bias"]
    assert {name.split(".")[0] for name in trunk.state_dict()} == {"down", "reduce", "up", "head"}
    assert trunk.reach_frames == 24
    # Means and values of the release before, at the same weights.
    inputs = torch.sin(torch.arange(2 * 21 * 13.0)).view(2, 21, 13)
    with torch.no_grad():
        for index, parameter in enumerate(trunk.parameters()):
            steps = torch.arange(float(parameter.numel())).view(parameter.shape)
            parameter.copy_(0.3 * torch.cos(steps + index) + 0.1)
        found = trunk.eval()(inputs)
    np.testing.assert_allclose(float(found.mean()), 0.185226, rtol=1e-4)
    np.testing.assert_allclose(found[0, 0, 3, 4:7], [-0.232982, -0.234711, -0.237161], rtol=1e-4)


@pytest.mark.parametrize(
    ("settings", "n_frames"),
    [({}, 4), ({"mel_only": [1]}, 2), ({"mel_only": [1, 2]}, 1), ({"time_only": [1, 2]}, 4)],
)
def test_a_pooling_halves_what_its_key_says(settings, n_frames):
    trunk = _unet(**settings).eval()
    assert trunk.coarsest_frames == n_frames
    sizes = []
    trunk.down[-1].register_forward_hook(lambda *call: sizes.append(tuple(call[2].shape[2:])))
    trunk(_input(1, 16, 8))
    n_bands = 8 if "time_only" in settings else 2
    assert sizes == [(16 // n_frames, n_bands)]


def test_a_pooling_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match=r"trunk\.unet\.mel_only: expected poolings of 1 to 2"):
        _unet(mel_only=[3])


def test_the_logit_of_both_is_that_of_the_product():
    a, b = (_input(200, seed=seed) * 4 for seed in (1, 2))
    product = torch.sigmoid(a.double()) * torch.sigmoid(b.double())
    np.testing.assert_allclose(logit_of_both(a, b), torch.logit(product), rtol=1e-4, atol=1e-5)


def test_the_logit_of_both_overflows_nowhere():
    ends = torch.tensor([-300.0, -90.0, 0.0, 90.0, 300.0])
    a, b = (x.clone().requires_grad_() for x in torch.meshgrid(ends, ends, indexing="ij"))
    found = logit_of_both(a, b)
    found.sum().backward()
    for value in (found, a.grad, b.grad):
        assert torch.isfinite(value).all()
    assert float(found[4, 4].detach()) == pytest.approx(300 - np.log(2))
    assert float(found[0, 4].detach()) == -300  # closed on one side


def test_a_gate_is_open_at_first_and_can_close_a_mask():
    trunk, plain = _unet(gate_width=3).eval(), _unet().eval()
    plain.load_state_dict(trunk.state_dict(), strict=False)
    assert (trunk.gate[-1].bias == 2).all()
    inputs = _input(1, 12, 8)
    with torch.inference_mode():
        assert (trunk(inputs) <= plain(inputs) + 1e-5).all()
        trunk.gate[-1].weight.zero_()
        trunk.gate[-1].bias.copy_(torch.tensor([-20.0, 20, 20, 20, 20]))
        found = trunk(inputs).sigmoid()
        assert found[:, 0].max() < 1e-8
        np.testing.assert_allclose(found[:, 1:], plain(inputs)[:, 1:].sigmoid(), atol=1e-5)


def test_a_gate_sees_its_neighbours_alone():
    gate = LocalGate(3, 2).eval()
    inputs = _input(1, 1, 15, 13)
    changed = inputs.clone()
    changed[0, 0, 7, 6] += 5
    differs = (gate(inputs) != gate(changed)).any(dim=1)[0].numpy()
    reach = np.argwhere(differs)
    assert reach.min(axis=0).tolist() == [5, 4]
    assert reach.max(axis=0).tolist() == [9, 8]


def test_a_gate_of_the_finer_level_holds_back_the_coarser_one():
    trunk = _unet(gate_upsampling=True).eval()
    inputs = _input(1, 16, 8)
    changed = inputs.clone()
    changed[0, 0] += 5  # 15 frames away from the last one: only coarser levels reach that far
    with torch.no_grad():
        assert not torch.equal(trunk(inputs)[:, :, 10], trunk(changed)[:, :, 10])
        for gate in trunk.gates_up:
            gate.bias.fill_(-1e4)
        torch.testing.assert_close(trunk(inputs)[:, :, 10], trunk(changed)[:, :, 10])


@pytest.mark.parametrize("context", ["dilated", "gru"])
def test_a_context_reaches_further_and_leaves_the_resolution(context):
    plain, trunk = (_unet(mel_only=[1, 2], context=c).eval() for c in ("none", context))
    inputs = _input(1, 60, 8)
    changed = inputs.clone()
    changed[0, 30] += 5
    reached = []
    for network in (plain, trunk):
        with torch.inference_mode():
            differs = (network(inputs) != network(changed)).any(dim=(0, 1, 3)).numpy()
        reached.append(np.flatnonzero(differs).size)
    assert reached[0] <= 2 * plain.reach_frames + 1
    assert reached[1] >= reached[0] + 2 * 7


def test_coarse_masks_are_coarse_and_multiply_the_fine_ones():
    trunk = _unet(coarse_tags=True, coarse_pools=1).eval()
    with torch.inference_mode():
        both, fine, coarse = trunk(_input(2, 32, 8)).chunk(3, dim=1)
    torch.testing.assert_close(both.sigmoid(), fine.sigmoid() * coarse.sigmoid())
    # Two poolings of both by 2, and one more of time.
    blocks = coarse.unflatten(3, (2, 4)).unflatten(2, (4, 8))
    assert (blocks == blocks[:, :, :, :1, :, :1]).all()
    assert blocks[:, :, :, 0, :, 0].std() > 0


def test_tags_are_the_mean_over_the_views_and_each_view_is_trained():
    network = _network(coarse_tags=True)
    logmel = _input(4, 16, 8)
    target = torch.tensor([[1.0, 0, 0]] * 4)
    network.train()
    tags, masks = network(logmel)
    assert masks.shape == (4, 3, 16, 8)
    assert tags.shape == (4, 3)
    loss = network.own_loss(target)
    views = network.trunk(network._standardised(logmel)).sigmoid().chunk(3, dim=1)
    pooled = [network.pooling(view) for view in views]
    torch.testing.assert_close(tags, pooled[0])
    expected = sum(torch.nn.functional.binary_cross_entropy(p, target) for p in pooled[1:])
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert network.trunk.coarse[-1].bias.grad.abs().min() > 0
    with torch.inference_mode():
        tags, _ = network.eval()(logmel)
        views = network.trunk(logmel).sigmoid().chunk(3, dim=1)
        torch.testing.assert_close(
            tags, torch.stack([network.pooling(view) for view in views]).mean(dim=0)
        )


def test_tags_that_do_not_count_change_no_view():
    network = _network(coarse_tags=True).train()
    network(_input(2, 16, 8))
    counted = torch.tensor([[1.0, 0, 1], [0, 1, 1]])
    one, other = torch.zeros(2, 3), (1 - counted)
    torch.testing.assert_close(network.own_loss(one, counted), network.own_loss(other, counted))
    assert network.own_loss(one) != network.own_loss(other)


def test_a_trunk_without_views_adds_no_loss():
    network = _network().train()
    network(_input(2, 16, 8))
    assert network.own_loss(torch.zeros(2, 3)) == 0


def test_views_have_a_background_where_the_masks_have_one():
    network = _network(coarse_tags=True, background=True).train()
    tags, masks = network(_input(2, 16, 8))
    assert (tags.shape, masks.shape[1]) == ((2, 4), 4)
    assert torch.isfinite(network.own_loss(torch.ones(2, 4)))


def test_a_model_from_before_a_key_has_its_default():
    assert _network().trunk.gate is None
    assert _network(gate_width=2).trunk.gate is not None


def test_the_candidates_cost_at_most_what_gwrp_does():
    classes, shape = 10, (155, 32)  # experiments/small.yaml

    def macs(kind, **settings):
        network = build_network(
            "linear_softmax",
            n_classes=classes,
            n_mels=shape[1],
            trunk_settings={
                "kind": kind,
                "background": False,
                "share_energy": False,
                kind: settings,
            },
            pooling_settings={},
        )
        return network_cost(network, *shape)[1]

    most = macs("vgg", widths=[16, 32, 32, 32])
    assert macs("unet", gate_width=16) < macs("unet", mel_only=[1, 3]) < most
    assert macs("unet", gate_upsampling=True) < most
    assert macs("unet", mel_only=[1, 3], context="gru") < most
    assert macs("unet", widths=[16, 32, 48, 96], mel_only=[1, 3], coarse_tags=True) < most
    assert macs("near_far") < most
