"""The losses."""

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from toy_training import SETTINGS, changed

from tfseg.training import losses, terms
from tfseg.training.losses import cross_entropy, distillation
from tfseg.training.splicing import Known, Pairs


def test_the_loss_is_scikit_learns_log_loss():
    generator = torch.Generator().manual_seed(0)
    tags = torch.rand(50, 3, generator=generator)
    target = (torch.rand(50, 3, generator=generator) < 0.4).float()
    expected = log_loss(target.flatten(), tags.flatten().double())
    assert cross_entropy(tags, target).item() == pytest.approx(expected, rel=1e-5)


def test_the_gradient_of_the_loss_is_that_of_its_formula():
    tags = torch.rand(5, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    target = (torch.arange(15).view(5, 3) % 2).float()
    cross_entropy(tags, target).backward()
    p = tags.detach()
    np.testing.assert_allclose(tags.grad, (p - target) / (p * (1 - p)) / 15, rtol=1e-4)


def test_tags_of_zero_and_one_have_a_finite_loss():
    tags = torch.tensor([[0.0, 1.0]])
    assert cross_entropy(tags, tags).item() == 0
    assert 0 < cross_entropy(tags, 1 - tags).item() < float("inf")


def test_a_tag_that_is_not_a_number_reaches_the_loss():
    tags = torch.full((2, 2), 0.5)
    tags[1, 0] = float("nan")
    assert torch.isnan(cross_entropy(tags, torch.zeros(2, 2)))


def test_only_counted_tags_are_in_the_mean():
    tags, target = torch.tensor([[0.5, 0.9], [0.25, 0.9]]), torch.zeros(2, 2)
    counted = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    expected = -(np.log(0.5) + np.log(0.75)) / 2
    assert float(cross_entropy(tags, target, counted)) == pytest.approx(expected, rel=1e-5)
    assert float(cross_entropy(tags, target, torch.zeros(2, 2))) == 0
    assert float(cross_entropy(tags, target, torch.ones(2, 2))) == pytest.approx(
        float(cross_entropy(tags, target)), rel=1e-6
    )


@pytest.fixture
def step():
    """Tags, masks, log-mel and labels of two clips."""
    rng = torch.Generator().manual_seed(0)
    masks = torch.rand(2, 3, 4, 5, generator=rng)
    target = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    return masks.amax(dim=(2, 3)), masks, torch.randn(2, 4, 5, generator=rng), target


def _total(step, settings=SETTINGS, known=Known()):  # noqa: B008
    arguments = {"teacher": None, "iteration": torch.tensor(0), "known": known}
    return losses.total(*step, settings, **arguments)


def test_without_further_terms_the_loss_is_the_cross_entropy_to_the_bit(step):
    assert torch.equal(_total(step), cross_entropy(step[0], step[3]))


def test_splicing_and_terms_add_to_the_loss_with_their_weights(step):
    tags, masks, _, target = step
    silent, counted = torch.ones(2, 3, 4), 1 - target
    settings = changed(
        splice=dataclasses.replace(SETTINGS.splice, negatives=0.5),
        terms=dataclasses.replace(SETTINGS.terms, size=0.2),
    )
    expected = (
        cross_entropy(tags, target, counted)
        + 0.5 * terms.silent(masks, silent)
        + 0.2 * terms.size(masks, target)
    )
    assert torch.allclose(_total(step, settings, Known(counted, silent)), expected)


def test_the_weight_of_the_agreement_rises_from_zero(step):
    tags, masks, logmel, target = step
    pairs = Pairs(logmel, target, torch.tensor([1, 0]), torch.rand(2, 4, 1), torch.ones(2))
    whole = torch.full_like(masks, 0.3)
    splice = dataclasses.replace(SETTINGS.splice, agreement=2.0, ramp=9)
    added = [
        losses.total(
            *step,
            changed(splice=splice),
            teacher=None,
            iteration=torch.tensor(iteration),
            known=Known(pairs=pairs),
            averaged=lambda parts: (None, whole),
        )
        - cross_entropy(tags, target)
        for iteration in (0, 4, 9, 100)
    ]
    full = 2.0 * terms.agreement(masks, whole, pairs)
    for found, share in zip(added, (0.1, 0.5, 1, 1), strict=True):
        assert torch.allclose(found, share * full, atol=1e-6)


def test_distillation_is_zero_for_a_teacher_that_says_the_same_of_what_is_there():
    masks = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1).expand(1, 2, 3, 4)
    assert distillation(masks, masks, torch.tensor([[1.0, 1.0]])) == 0
    # The teacher's masks of absent classes are set to zero.
    heard = torch.ones(1, 2, 3, 4)
    assert distillation(masks, heard, torch.tensor([[0.0, 1.0]])) == 0
    assert distillation(masks, heard, torch.tensor([[1.0, 1.0]])) > 1


def test_distillation_is_the_mean_cross_entropy():
    rng = np.random.default_rng(0)
    masks, teacher = (rng.uniform(0.01, 0.99, (2, 3, 4, 5)) for _ in range(2))
    target = np.array([[1, 0, 1], [0, 1, 1]], dtype=float)
    wanted = teacher * target[:, :, None, None]
    expected = -(wanted * np.log(masks) + (1 - wanted) * np.log(1 - masks)).mean()
    found = distillation(*(torch.from_numpy(a) for a in (masks, teacher, target)))
    assert float(found) == pytest.approx(expected)
