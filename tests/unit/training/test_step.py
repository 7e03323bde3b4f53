"""A step asks the device for nothing; what it changes is all in its state."""

import numpy as np
import pytest
import torch
from synchronising import HostWaits, never_waiting
from toy_training import ALL_TERMS, AUGMENTED, SPLICED, changed

from tfseg.models.registry import systems
from tfseg.training import losses
from tfseg.training.averaging import Average
from tfseg.training.batches import Batches
from tfseg.training.initial import initial_network
from tfseg.training.optimiser import Adam
from tfseg.training.step import Step

N_CLIPS, N_FRAMES, N_MELS, N_CLASSES = 6, 24, 16, 3


@pytest.fixture
def make(build_narrow):
    """Return a function that makes a step of a small network, with all that a step can do."""

    def make_step(system="gap", *, precision="float32", taught=False, **changes):
        rng = np.random.default_rng(0)
        logmel = rng.normal(-8, 2, (N_CLIPS, N_FRAMES, N_MELS)).astype(np.float16)
        target = (rng.random((N_CLIPS, N_CLASSES)) < 0.5).astype(np.uint8)
        settings = changed(augmentation=AUGMENTED, average_weights=0.9, **changes)
        network = initial_network(lambda: build_narrow(system), 3, logmel).train()
        network.precision = precision
        teacher = initial_network(lambda: build_narrow("gap"), 4, logmel).eval()
        batches = Batches(logmel, target, settings, seed=3, n_frames=20)
        step = Step(
            network,
            batches,
            Adam(network.parameters()),
            Average(network, settings.average_weights),
            settings,
            teacher=teacher if taught else None,
            seed=3,
            device="cpu",
        )
        return step, batches, network

    return make_step


def _compute(step, batches, iteration=0):
    step.begin(iteration)
    inputs = next(batches.inputs(iteration, iteration + 1))
    with never_waiting():
        return step.compute(inputs, *step.factors(iteration))


@pytest.mark.parametrize("system", sorted(systems()))
def test_a_step_of_any_system_does_not_wait(make, system):
    step, batches, _ = make(system)
    assert torch.isfinite(_compute(step, batches))


@pytest.mark.parametrize("system", ["gwrp", "gap"])
def test_a_step_with_all_losses_in_bfloat16_does_not_wait(make, system):
    more = {"splice": SPLICED, "terms": ALL_TERMS}
    step, batches, _ = make(system, precision="bfloat16", taught=True, **more)
    assert torch.isfinite(_compute(step, batches))


@pytest.mark.parametrize(
    "ask",
    [
        lambda tags: tags.sum().item(),
        lambda tags: tags.tolist(),
        lambda tags: tags.cpu(),
        lambda tags: np.asarray(tags),
        lambda tags: bool((tags > 2).any()),
        lambda tags: tags[tags > 0.5],
        lambda tags: torch.nonzero(tags),
        lambda tags: torch.masked_select(tags, tags > 0.5),
        lambda tags: torch.bincount((tags.flatten() * 10).long(), minlength=11),
        lambda tags: torch.unique(tags),
        lambda tags: tags * torch.tensor(0.5),
        lambda tags: torch.equal(tags, tags),
    ],
    ids=["item", "tolist", "cpu", "numpy", "any", "mask", "nonzero", "masked_select", "bincount",
         "unique", "tensor", "equal"],
)  # fmt: skip
def test_a_step_that_asks_the_device_is_noticed(make, monkeypatch, ask):
    step, batches, _ = make()
    total = losses.total

    def asking(tags, *arguments, **named):
        ask(tags.detach())
        return total(tags, *arguments, **named)

    monkeypatch.setattr(losses, "total", asking)
    with pytest.raises(HostWaits):
        _compute(step, batches)


def test_the_state_of_a_step_is_all_that_it_changes(make):
    step, batches, _ = make(taught=True)
    before = [value.clone() for value in step.state()]
    first = step(next(batches.inputs(0, 1)), 0)
    assert not all(torch.equal(a, b) for a, b in zip(before, step.state(), strict=True))
    with torch.no_grad():
        for value, old in zip(step.state(), before, strict=True):
            value.copy_(old)
    assert torch.equal(step(next(batches.inputs(0, 1)), 0), first)


def test_random_values_follow_from_the_iteration(make):
    step, _, _ = make()
    drawn = []
    for iteration in (3, 4, 3):
        step.begin(iteration)
        drawn.append(torch.rand(4).tolist())
    assert drawn[0] == drawn[2] != drawn[1]
