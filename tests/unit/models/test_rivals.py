"""Networks of other papers: LUU-Net, 2APAE and FBCRNN."""

import numpy as np
import pytest
import torch
from small_baselines import BASELINES, random_input
from torch.nn import functional

from tfseg.models.cost import layer_costs
from tfseg.models.networks.fbcrnn import ForwardBackward
from tfseg.models.networks.twoapae import TwoStepAttention
from tfseg.models.systems import FrameNetwork
from tfseg.models.trunks.luunet import LimitedUpsamplingTrunk


@pytest.fixture
def fbcrnn():
    return BASELINES["fbcrnn"].settled()


@pytest.fixture
def twoapae():
    return BASELINES["twoapae"].settled()


@pytest.mark.parametrize(("restored", "n_bands"), [(0, 2), (1, 4), (3, 16)])
def test_luunet_restores_frames_and_so_many_bands(restored, n_bands):
    torch.manual_seed(0)
    trunk = LimitedUpsamplingTrunk(
        3, widths=[4, 5, 6, 7], blocks=1, mel_restored=restored, dropout=0.0
    ).eval()
    sizes = {name: size for name, size, _ in layer_costs(trunk, random_input(1, 21, 16))}
    assert sizes["head"] == (3, 21, n_bands)
    with torch.inference_mode():
        logits = trunk(random_input(1, 21, 16))
    assert logits.shape == (1, 3, 21, 16)
    of_band = logits.unflatten(3, (n_bands, -1))
    assert (of_band == of_band[..., :1]).all()
    assert of_band[..., 0].std(dim=3).mean() > 0
    assert logits.std(dim=2).mean() > 0


def test_attention_weighs_bands_and_then_frames(twoapae):
    inputs = random_input(2, 9, 16)
    with torch.inference_mode():
        maps = twoapae.encoder(inputs.unsqueeze(1))
        units = torch.sigmoid(twoapae.units(maps))
        tags, frames = twoapae(inputs)
        assert (frames <= units.amax(dim=3) + 1e-6).all()
        assert (frames >= units.amin(dim=3) - 1e-6).all()
        # A layer that prefers one band, whatever is heard, gives that band's units.
        twoapae.over_mel.weight.zero_()
        np.testing.assert_allclose(twoapae(inputs)[1], units.mean(dim=3), atol=1e-6)
        twoapae.over_time.weight.zero_()
        tags, frames = twoapae(inputs)
        np.testing.assert_allclose(tags, frames.mean(dim=2), atol=1e-6)


def test_the_decoder_learns_to_rebuild_its_input():
    torch.manual_seed(0)
    network = TwoStepAttention(2, widths=[4, 4], rebuilding_weight=1.0).train()
    inputs = random_input(2, 8, 6)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        network(inputs)
        loss = network.own_loss(torch.zeros(2, 2))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[0] > 0.8  # the variance of the input
    assert losses[-1] < 0.5


def test_the_rebuilding_term_is_weighted_and_reaches_the_system():
    torch.manual_seed(0)
    network = TwoStepAttention(2, widths=[4], rebuilding_weight=0.001).train()
    inputs = random_input(3, 12, 8)
    system = FrameNetwork(network, 8).train()
    system(inputs)
    rebuilt = network.decoder(network.encoder(inputs.unsqueeze(1))).squeeze(1)
    expected = 0.001 * functional.mse_loss(rebuilt, inputs)
    torch.testing.assert_close(system.own_loss(torch.zeros(3, 2)), expected)


def test_each_tagger_has_heard_its_side_alone(fbcrnn):
    inputs = random_input(1, 40, 16)
    changed = inputs.clone()
    changed[0, 20] += 8
    reach = 3  # a 3x3 layer for each width
    seen = []
    for name in ("forward", "backward"):
        scores = []
        getattr(fbcrnn, f"{name}_output").register_forward_hook(
            lambda *call, scores=scores: scores.append(call[2])
        )
        with torch.inference_mode():
            fbcrnn(inputs)
            fbcrnn(changed)
        differs = (scores[0] - scores[1]).abs().amax(dim=(0, 2)) > 1e-6
        seen.append(np.flatnonzero(differs.numpy()))
    assert seen[0].min() >= 20 - reach
    assert seen[0].max() > 25
    assert (39 - seen[1]).max() <= 20 + reach  # in the order of its reading
    assert (39 - seen[1]).min() < 15


class _Says(torch.nn.Module):
    """In place of a GRU: fixed outputs."""

    def __init__(self, outputs):
        super().__init__()
        self.outputs = outputs.view(1, -1, 1)

    def forward(self, sequence):
        return self.outputs, None


def test_an_event_that_both_taggers_heard_lies_between_its_borders():
    network = ForwardBackward(1, 1, widths=[1], gru_units=1, dropout=0.0).eval()
    onward, backward = torch.tensor([0.0, 0, 1, 1, 1, 1]), torch.tensor([1.0, 1, 1, 1, 0, 0])
    network.forward_gru = _Says(onward)
    network.backward_gru = _Says(backward.flip(0))
    for output in (network.forward_output, network.backward_output):
        output.weight.data.fill_(40.0)
        output.bias.data.fill_(-20.0)
    with torch.inference_mode():
        tags, frames = network(torch.zeros(1, 6, 1))
    np.testing.assert_allclose(tags, [[1.0]], atol=1e-6)  # each has heard the whole clip at its end
    np.testing.assert_allclose(frames, [[[0, 0, 1, 1, 0, 0]]], atol=1e-6)


def test_the_larger_score_of_each_frame_is_trained_on_the_tags(fbcrnn):
    target = torch.tensor([[1.0, 0, 1, 0, 0]] * 2)
    system = FrameNetwork(fbcrnn, 16).train()
    system(random_input(2, 12, 16))
    loss = system.own_loss(target)
    scores = fbcrnn._either
    assert scores.shape == (2, 12, 5)
    wanted = target[:, None].expand_as(scores)
    torch.testing.assert_close(loss, functional.binary_cross_entropy(scores, wanted))
    counted = torch.tensor([[1.0, 1, 0, 1, 1]] * 2)
    of_counted = functional.binary_cross_entropy(scores, wanted, reduction="none")[
        ..., [0, 1, 3, 4]
    ]
    torch.testing.assert_close(system.own_loss(target, counted), of_counted.mean())
