import pytest
import torch
from torch import nn

from tfseg.training.optimiser import Adam


def _network(layout=torch.contiguous_format):
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Conv2d(3, 4, 2))
    return layers.to(memory_format=layout)


def _backward(network, seed):
    inputs = torch.randn(2, 2, 7, 6, generator=torch.Generator().manual_seed(seed))
    network(inputs).square().mean().backward()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_it_steps_as_torchs_adam(layout):
    ours, theirs = _network(layout), _network(layout)
    optimiser, reference = Adam(ours.parameters()), torch.optim.Adam(theirs.parameters())
    for seed, rate in enumerate([1e-3, 1e-2, 1e-4]):
        _backward(ours, seed)
        _backward(theirs, seed)
        optimiser.step(rate)
        reference.param_groups[0]["lr"] = rate
        reference.step()
        reference.zero_grad()
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-7)
            assert mine.grad is None


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_what_was_saved_goes_on_to_the_same_bits(layout):
    whole, cut = _network(layout), _network(layout)
    optimisers = Adam(whole.parameters()), Adam(cut.parameters())
    for network, optimiser in zip((whole, cut), optimisers, strict=True):
        _backward(network, 1)
        optimiser.step(1e-2)
    # As from a file: contiguous, whatever the layout was.
    saved = {name: value.contiguous().clone() for name, value in optimisers[1].tensors().items()}
    resumed = Adam(cut.parameters())
    resumed.load(saved)
    for network, optimiser in ((whole, optimisers[0]), (cut, resumed)):
        _backward(network, 2)
        optimiser.step(1e-2)
    for one, other in zip(whole.parameters(), cut.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_state_that_lacks_a_tensor_is_refused():
    optimiser = Adam(_network().parameters())
    tensors = optimiser.tensors()
    del tensors["1.exp_avg_sq"]
    with pytest.raises(KeyError, match="exp_avg_sq"):
        optimiser.load(tensors)
