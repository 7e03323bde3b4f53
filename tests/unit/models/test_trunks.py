import numpy as np
import pytest
import torch

from tfseg.models import systems
from tfseg.models.poolings.linear_softmax import LinearSoftmaxPooling
from tfseg.models.trunks import blocks
from tfseg.models.trunks.blocks import ConvBlock, MaskHead
from tfseg.models.trunks.dilated import DilatedTrunk
from tfseg.models.trunks.luunet import LimitedUpsamplingTrunk
from tfseg.models.trunks.near_far import NearFarTrunk
from tfseg.models.trunks.unet import UnetTrunk
from tfseg.models.trunks.vgg import VggTrunk


@pytest.fixture
def small():
    torch.manual_seed(0)
    return VggTrunk(5, widths=[4, 6], dropout=0.0).eval()


def _input(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def test_the_papers_trunk_has_the_papers_size(full_config):
    classes = len(full_config["corpus"]["classes"])
    trunk = VggTrunk(classes, **full_config["trunk"]["vgg"])
    assert classes == 41
    assert sum(p.numel() for p in trunk.parameters() if p.requires_grad) == 587593
    assert all(p.requires_grad for p in trunk.parameters())


def test_the_papers_trunk_keeps_the_resolution(full_config):
    trunk = VggTrunk(41, **full_config["trunk"]["vgg"]).eval()
    with torch.inference_mode():
        assert trunk(_input(1, 33, 64)).shape == (1, 41, 33, 64)


@pytest.mark.parametrize(("time", "mel"), [(1, 1), (7, 5), (40, 3)])
def test_masks_have_a_unit_for_each_of_the_input(small, time, mel):
    assert small(_input(2, time, mel)).shape == (2, 5, time, mel)


@pytest.mark.parametrize("n_outputs", [1, 5, 8, 41])
def test_a_head_of_a_multiple_of_eight_maps_gives_the_same_masks_and_gradients(
    monkeypatch, n_outputs
):
    def logits_and_gradients():
        torch.manual_seed(0)
        head, maps = MaskHead(6, n_outputs), _input(2, 6, 7, 5).requires_grad_()
        torch.nn.init.normal_(head.bias)
        logits = head(maps)
        logits.square().sum().backward()
        return logits.detach(), maps.grad, head.weight.grad, head.bias.grad

    plain, convolved = logits_and_gradients(), []
    monkeypatch.setattr(blocks, "_pads", lambda maps: True)
    convolve = torch.nn.functional.conv2d
    monkeypatch.setattr(
        torch.nn.functional, "conv2d", lambda *a: convolved.append(len(a[1])) or convolve(*a)
    )
    for padded, expected in zip(logits_and_gradients(), plain, strict=True):
        np.testing.assert_allclose(padded, expected, rtol=1e-5, atol=1e-5)
    assert convolved == [-(-n_outputs // 8) * 8]


def test_the_number_of_parameters_follows_from_the_widths():
    for widths in ([3], [4, 6], [8, 2, 5]):
        inputs = [1, *widths[:-1]]
        expected = sum(9 * a * b + 2 * b for a, b in zip(inputs, widths, strict=True))
        expected += widths[-1] * 7 + 7
        trunk = VggTrunk(7, widths=widths, dropout=0.0)
        assert sum(parameter.numel() for parameter in trunk.parameters()) == expected


def test_a_unit_depends_on_its_neighbourhood_alone(small):
    # Two 3x3 layers reach two units far, in time and in frequency.
    inputs = _input(1, 15, 13)
    changed = inputs.clone()
    changed[0, 7, 6] += 5
    with torch.inference_mode():
        differs = (small(inputs) != small(changed)).any(dim=1)[0]
    reach = np.argwhere(differs.numpy())
    assert reach.min(axis=0).tolist() == [5, 4]
    assert reach.max(axis=0).tolist() == [9, 8]


def test_what_is_later_in_the_input_is_later_in_the_mask(small):
    inputs = _input(1, 30, 8)
    with torch.inference_mode():
        masks, shifted = small(inputs), small(torch.roll(inputs, 5, dims=1))
    np.testing.assert_allclose(shifted[:, :, 8:28], masks[:, :, 3:23], atol=1e-6)


def test_time_and_frequency_are_not_swapped():
    torch.manual_seed(0)
    trunk = VggTrunk(1, widths=[1], dropout=0.0).eval()
    with torch.no_grad():
        kernel = torch.zeros(1, 1, 3, 3)
        kernel[0, 0, 0, 1] = 1  # looks one frame back
        trunk.blocks[0][0].weight.copy_(kernel)
        trunk.head.weight.fill_(1)
        inputs = torch.zeros(1, 4, 3)
        inputs[0, 1, 2] = 8
        masks = trunk(inputs).sigmoid()[0, 0]
    assert np.argwhere(masks.numpy() > 0.6).tolist() == [[2, 2]]


def test_clips_do_not_see_each_other_when_evaluated(small):
    inputs = _input(3, 9, 8)
    with torch.inference_mode():
        whole = small(inputs)
        for clip in range(3):
            np.testing.assert_allclose(small(inputs[clip : clip + 1])[0], whole[clip], atol=1e-6)


def test_gradients_reach_every_parameter(small):
    small.train()(_input(2, 9, 8)).mean().backward()
    for name, parameter in small.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_a_block_is_convolution_normalisation_and_relu():
    torch.manual_seed(0)
    block = ConvBlock(2, 3)
    inputs = _input(4, 2, 6, 5)
    found = block(inputs)
    maps = torch.nn.functional.conv2d(inputs, block[0].weight, padding=1).detach()
    mean = maps.mean(dim=(0, 2, 3), keepdim=True)
    std = maps.var(dim=(0, 2, 3), unbiased=False, keepdim=True).add(1e-5).sqrt()
    np.testing.assert_allclose(found.detach(), ((maps - mean) / std).clamp(min=0), atol=1e-5)


def test_dropout_follows_each_pair_of_layers():
    trunk = VggTrunk(1, widths=[2] * 5, dropout=0.3)
    kinds = [type(layer).__name__ for layer in trunk.blocks]
    assert kinds == [
        "ConvBlock",
        "ConvBlock",
        "Dropout",
        "ConvBlock",
        "ConvBlock",
        "Dropout",
        "ConvBlock",
    ]
    assert trunk.blocks[2].p == 0.3
    inputs = torch.randn(1, 6, 5)
    assert not torch.equal(trunk.train()(inputs), trunk(inputs))
    assert torch.equal(trunk.eval()(inputs), trunk(inputs))


def _unet(**settings):
    return UnetTrunk(5, **{"widths": [4, 6, 8, 10], "blocks": 1, "dropout": 0.0} | settings)


FAR = {
    "unet": lambda: _unet(blocks=2),
    "dilated": lambda: DilatedTrunk(5, width=4, dilations=[1, 2, 4, 8], dropout=0.0),
    "gates": lambda: _unet(gate_width=3, gate_upsampling=True),
    "anisotropic": lambda: _unet(mel_only=[1, 3], time_only=[2], context="dilated"),
    "recurrent": lambda: _unet(mel_only=[1, 3], context="gru"),
    "coarse": lambda: _unet(mel_only=[2], coarse_tags=True, coarse_pools=2),
    "luunet": lambda: LimitedUpsamplingTrunk(
        5, widths=[4, 6, 8, 10], blocks=1, mel_restored=1, dropout=0.0
    ),
    "near_far": lambda: NearFarTrunk(5, far_widths=[4, 6, 8, 10], near_widths=[2, 4], dropout=0.0),
}


@pytest.fixture(params=list(FAR))
def far(request):
    """A trunk with a large context in evaluation mode, with trained normalisation statistics."""
    torch.manual_seed(0)
    trunk = FAR[request.param]()
    for module in trunk.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            module.bias.data.normal_()
    return trunk.eval()


@pytest.mark.parametrize(("time", "mel"), [(1, 1), (7, 5), (16, 8), (33, 13)])
def test_far_seeing_trunks_keep_any_resolution(far, time, mel):
    n_views = getattr(far, "n_views", 1)
    assert far(_input(2, time, mel)).shape == (2, 5 * n_views, time, mel)


def test_far_seeing_trunks_reach_no_further_than_they_say(far):
    inputs = _input(1, 600, 9)
    with torch.inference_mode():
        whole = far(inputs)
        for frame in (288, 293, 312):
            changed = inputs.clone()
            changed[0, frame] += 5
            # A GRU's memory has no end, but what is left of it beyond its reach is rounding.
            differs = (far(changed) - whole).abs() > 1e-5
            reached = np.flatnonzero(differs.any(dim=(0, 1, 3)).numpy())
            assert frame - far.reach_frames <= reached[0]
            assert reached[-1] <= frame + far.reach_frames
            # Their context is larger than that of the papers' trunk with as many layers.
            assert reached[-1] - reached[0] > 2 * 8


def test_a_long_recording_in_stretches_has_the_masks_of_the_whole(far, monkeypatch):
    monkeypatch.setattr(systems, "_STRETCH_FRAMES", 64)
    network = systems.MaskNetwork(far, LinearSoftmaxPooling(), 5, 9).eval()
    inputs = _input(1, 64 * 3 + 17, 9)
    with torch.inference_mode():
        found = network._logits(inputs)
        np.testing.assert_allclose(found, far(inputs), atol=1e-5)


def test_far_seeing_trunks_learn_with_every_parameter(far):
    far.train()(_input(3, 32, 16)).square().mean().backward()
    for name, parameter in far.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_a_unets_dropout_is_on_its_coarsest_level():
    trunk = UnetTrunk(2, widths=[2, 3], blocks=1, dropout=0.5)
    inputs = _input(1, 12, 8)
    assert not torch.equal(trunk.train()(inputs), trunk(inputs))
    assert torch.equal(trunk.eval()(inputs), trunk(inputs))


def test_a_dilated_layer_adds_to_what_it_gets():
    trunk = DilatedTrunk(2, width=3, dilations=[2], dropout=0.0).eval()
    with torch.no_grad():
        trunk.blocks[0][0].weight.zero_()  # then the block gives its normalisation of nothing
        trunk.blocks[0][1].bias.fill_(-1)  # which ReLU takes away
        inputs = _input(1, 9, 7)
        np.testing.assert_allclose(
            trunk(inputs), trunk.head(trunk.first(inputs.unsqueeze(1))), atol=1e-6
        )
