import dataclasses
import math

import pytest
import torch
from torch.autograd import gradcheck

from tfseg.training import terms
from tfseg.training.splicing import Pairs

LOG2 = math.log(2)


def _masks(*by_class):
    """Masks of one clip of one frame and two bands [shape=(1, class, 1, 2)]."""
    return torch.tensor(by_class, dtype=torch.float64)[None, :, None]


@pytest.fixture
def random():
    """Masks, log-mel, target and frames of three clips, in float64."""
    rng = torch.Generator().manual_seed(0)
    shape = (3, 4, 5, 2)
    masks = torch.rand(shape, generator=rng, dtype=torch.float64) * 0.9 + 0.05
    logmel = torch.randn(3, 5, 2, generator=rng, dtype=torch.float64)
    target = torch.tensor([[1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]], dtype=torch.float64)
    frames = (torch.rand(3, 4, 5, generator=rng) < 0.5).double()
    return masks.requires_grad_(), logmel, target, frames


def test_absent_costs_minus_log_of_what_is_left_in_classes_without_tag():
    masks = _masks([0.5, 0.75], [0.9, 0.9])
    assert terms.absent(masks, torch.tensor([[0.0, 1.0]])) == pytest.approx(1.5 * LOG2)
    assert terms.absent(masks, torch.tensor([[1.0, 1.0]])) == 0


def test_silent_costs_in_the_given_frames_only():
    masks = torch.tensor([[[[0.5, 0.5], [0.9, 0.9], [0.75, 0.5]]]], dtype=torch.float64)
    assert terms.silent(masks, torch.tensor([[[1.0, 0.0, 1.0]]])) == pytest.approx(1.25 * LOG2)
    assert terms.silent(masks, torch.zeros(1, 1, 3)) == 0


def test_agreement_is_the_cross_entropy_with_what_was_heard_in_both_clips():
    # Two clips of two frames; the first continues as the second, the second stays whole.
    pairs = Pairs(
        logmel=torch.zeros(2, 2, 1),
        target=torch.ones(2, 1),
        others=torch.tensor([1, 0]),
        own=torch.tensor([[[1.0], [0.0]], [[1.0], [1.0]]]),
        joined=torch.tensor([1.0, 0.0]),
    )
    whole = torch.tensor([[[[1.0], [0.3]]], [[[0.6], [0.0]]]])
    masks = torch.tensor([[[[0.5], [0.25]]], [[[0.9], [0.9]]]])
    expected = -(math.log(0.5) + math.log(0.75)) / 2
    assert float(terms.agreement(masks, whole, pairs)) == pytest.approx(expected)
    # A class that is not in the first clip has no mask there, whatever was heard.
    absent = pairs._replace(target=torch.tensor([[0.0], [1.0]]))
    expected = -(math.log(1 - 0.5) + math.log(0.75)) / 2
    assert float(terms.agreement(masks, whole, absent)) == pytest.approx(expected)
    # Added clips: a quarter of the magnitude is the first's, of which its mask keeps all.
    added = pairs._replace(own=torch.full((2, 2, 1), 0.25))
    wanted = [0.25 * 1.0 + 0.75 * 0.6, 0.25 * 0.3]
    costs = [
        -w * math.log(m) - (1 - w) * math.log(1 - m)
        for w, m in zip(wanted, [0.5, 0.25], strict=True)
    ]
    found = float(terms.agreement(masks, whole, added))
    assert found == pytest.approx(sum(costs) / 2)
    none = pairs._replace(joined=torch.zeros(2))
    assert float(terms.agreement(masks, whole, none)) == 0


def test_size_is_the_mean_area_of_present_classes():
    masks = _masks([0.2, 0.4], [1.0, 1.0])
    assert terms.size(masks, torch.tensor([[1.0, 0.0]])) == pytest.approx(0.3)


def test_overlap_is_the_product_of_each_pair():
    masks = _masks([0.5, 0.0], [0.4, 1.0], [0.1, 0.0])
    in_first = 0.5 * 0.4 + 0.5 * 0.1 + 0.4 * 0.1
    assert terms.overlap(masks) == pytest.approx(in_first / 2)
    assert terms.overlap(_masks([1.0, 0.0], [0.0, 1.0])) == 0


def test_inconsistency_is_what_masks_take_too_much_weighed_by_magnitude():
    logmel = torch.tensor([[[3.0, 1.0]]], dtype=torch.float64).log()
    masks = _masks([0.8, 0.1], [0.6, 0.3])  # sums 1.4 and 0.4
    assert terms.inconsistency(masks, logmel) == pytest.approx(0.4 * 3 / 4)


def test_inconsistency_with_a_background_mask_is_also_what_is_missing():
    logmel = torch.tensor([[[3.0, 1.0]]], dtype=torch.float64).log()
    masks = _masks([0.8, 0.1], [0.6, 0.3])
    cost = terms.inconsistency(masks, logmel, has_background=True)
    assert cost == pytest.approx((0.4 * 3 + 0.6 * 1) / 4)


def test_what_a_mask_keeps_goes_down_to_60_db_below():
    logmel, mask = torch.full((1, 1, 3), 2.0), torch.tensor([[[1.0, 0.0, 0.5]]])
    below_db = 20 * (terms.kept(logmel, mask) - 2.0) / math.log(10)
    assert below_db.flatten().tolist() == pytest.approx([0.0, -60.0, -6.0], abs=0.1)


def test_reclassification_hears_a_class_inside_its_mask_and_not_outside():
    masks = _masks([1.0, 0.0], [0.3, 0.3])
    logmel, target = torch.zeros(1, 1, 2, dtype=torch.float64), torch.tensor([[1.0, 0.0]])

    def classify(parts):
        """Hear the first class by the level of the first band, the second class never."""
        first = parts[:, 0, 0].exp() * 0.5 + 0.25
        return torch.stack([first, torch.zeros_like(first)], dim=1)

    expected = -math.log(0.75) - math.log(1 - 0.2505)
    for turn in range(3):  # also when the class that is not in the clip would have its turn
        cost = terms.reclassification(masks, logmel, target, torch.tensor(turn), classify)
        assert cost == pytest.approx(expected)


def test_the_classes_of_a_clip_take_turns():
    masks, logmel = torch.rand(1, 3, 1, 2), torch.zeros(1, 1, 2)
    target = torch.tensor([[1.0, 0.0, 1.0]])

    def cost(turn, k):
        """Cost when only class `k` is never heard."""
        tags = torch.full((2, 3), 0.5)
        tags[:, k] = 0.0
        return float(
            terms.reclassification(masks, logmel, target, torch.tensor(turn), lambda parts: tags)
        )

    chosen = [max(range(3), key=lambda k, turn=turn: cost(turn, k)) for turn in range(6)]
    assert set(chosen) == {0, 2}
    assert chosen[:3] == chosen[3:]


def test_reclassification_of_clips_without_a_class_is_zero(random):
    masks, logmel, target, _ = random
    heard = []

    def classify(parts):
        heard.append(parts)
        return torch.sigmoid(parts.mean(dim=(1, 2)))[:, None].repeat(1, 4)

    assert terms.reclassification(masks, logmel, 0 * target, torch.tensor(0), classify) == 0
    assert heard[0].shape == (6, 5, 2)


@pytest.mark.parametrize(
    "cost",
    [
        lambda masks, logmel, target, frames: terms.absent(masks, target),
        lambda masks, logmel, target, frames: terms.silent(masks, frames),
        lambda masks, logmel, target, frames: terms.agreement(
            masks,
            torch.sigmoid(logmel)[:, None].repeat(1, 4, 1, 1),
            Pairs(logmel, target, torch.tensor([1, 2, 0]), torch.sigmoid(logmel), target[:, 0]),
        ),
        lambda masks, logmel, target, frames: terms.size(masks, target),
        lambda masks, logmel, target, frames: terms.overlap(masks),
        lambda masks, logmel, target, frames: terms.inconsistency(masks, logmel),
        lambda masks, logmel, target, frames: terms.inconsistency(masks, logmel, True),
        lambda masks, logmel, target, frames: terms.reclassification(
            masks,
            logmel,
            target,
            torch.tensor(2),
            lambda parts: torch.sigmoid(parts.mean(dim=2))[:, :4],
        ),
    ],
    ids=[
        "absent",
        "silent",
        "agreement",
        "size",
        "overlap",
        "excess",
        "background",
        "reclassification",
    ],
)
def test_gradients_are_those_of_finite_differences(cost, random):
    masks, *rest = random
    assert gradcheck(lambda m: cost(m, *rest), (masks,))
    assert torch.autograd.grad(cost(masks, *rest), masks)[0].abs().max() > 0


def test_a_mask_of_one_costs_finitely_much_and_nan_is_carried():
    ones = torch.ones(1, 1, 1, 2)
    assert math.isfinite(terms.absent(ones, torch.zeros(1, 1)))
    assert math.isnan(terms.absent(ones * float("nan"), torch.zeros(1, 1)))


def test_no_term_reads_a_value_back_from_the_device():
    # A meta tensor has no values: reading one raises an error.
    masks, logmel = torch.zeros(3, 4, 5, 2, device="meta"), torch.zeros(3, 5, 2, device="meta")
    target, frames = torch.zeros(3, 4, device="meta"), torch.zeros(3, 4, 5, device="meta")
    for cost in (
        terms.absent(masks, target),
        terms.silent(masks, frames),
        terms.agreement(
            masks,
            masks,
            Pairs(logmel, target, target[:, 0].long(), logmel, target[:, 0]),
        ),
        terms.size(masks, target),
        terms.overlap(masks),
        terms.inconsistency(masks, logmel),
        terms.reclassification(
            masks,
            logmel,
            target,
            torch.zeros((), dtype=torch.int64, device="meta"),
            lambda parts: parts[:, 0, :1].repeat(1, 4),
        ),
    ):
        assert cost.device.type == "meta"


def test_a_frozen_copy_follows_its_tensors_and_learns_nothing():
    network = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.BatchNorm1d(1))
    mean = {k: v.clone() for k, v in network.state_dict().items() if v.is_floating_point()}
    frozen = terms.frozen_copy(network, mean)
    mean["0.bias"].fill_(7.0)
    assert frozen[0].bias.item() == 7.0
    assert network[0].bias.item() != 7.0
    assert not frozen.training
    assert not any(parameter.requires_grad for parameter in frozen.parameters())
    inputs = torch.ones(1, 2, requires_grad=True)
    frozen(inputs).sum().backward()
    assert inputs.grad.abs().max() > 0


OFF = terms.TermSettings(0.0, 0.0, 0.0, 0.0, 0.0, 0.5)


def _weighted(random, settings, has_background=False):
    masks, logmel, target, _ = random
    return terms.weighted(
        masks,
        logmel,
        target,
        settings,
        turn=torch.tensor(0),
        averaged=lambda parts: (torch.sigmoid(parts.mean(dim=2)), None),
        has_background=has_background,
    )


def test_terms_are_added_with_their_weights(random):
    masks, logmel, target, _ = random
    settings = terms.TermSettings(0.1, 0.2, 0.3, 0.4, 0.0, 0.5)
    expected = (
        0.1 * terms.absent(masks, target)
        + 0.2 * terms.size(masks, target)
        + 0.3 * terms.overlap(masks)
        + 0.4 * terms.inconsistency(masks, logmel)
    )
    assert _weighted(random, settings).item() == pytest.approx(expected.item())
    assert OFF.used == []
    assert settings.used == ["absent", "size", "overlap", "consistency"]


def test_the_background_is_no_class_of_which_size_and_overlap_are_counted(random):
    masks, _, target, _ = random
    found = _weighted(random, dataclasses.replace(OFF, size=1.0, overlap=1.0), has_background=True)
    expected = terms.size(masks[:, :3], target[:, :3]) + terms.overlap(masks[:, :3])
    assert found.item() == pytest.approx(expected.item())


def test_a_share_of_the_clips_is_classified_again(random):
    heard = []

    def averaged(parts):
        heard.append(len(parts))
        return torch.sigmoid(parts.mean(dim=2)), None

    masks, logmel, target, _ = random
    for share in (1.0, 0.5, 0.01):
        settings = dataclasses.replace(OFF, reclassified=1.0, reclassified_share=share)
        terms.weighted(masks, logmel, target, settings, turn=torch.tensor(0), averaged=averaged)
    assert heard == [6, 4, 2]  # what is kept and what is left of 3, 2 and 1 clips
