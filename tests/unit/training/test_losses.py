"""The losses."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from tfseg.training.losses import cross_entropy, distillation


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
