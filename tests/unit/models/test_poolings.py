import numpy as np
import pytest
import torch

from tfseg.models.poolings.gap import GlobalAveragePooling
from tfseg.models.poolings.gmp import GlobalMaxPooling
from tfseg.models.poolings.gwrp import GlobalWeightedRankPooling

RATIOS = [0.0, 0.3, 0.9, 0.9998, 1.0]


@pytest.fixture
def masks():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(3, 4, 11, 7, generator=generator)


def _gwrp(masks, r, reference_units):
    """TASLP eq. 7 in numpy, in double precision."""
    units = masks.numpy().astype(np.float64).reshape(*masks.shape[:2], -1)
    ranked = -np.sort(-units, axis=-1)
    n = ranked.shape[-1]
    weights = (r ** (reference_units / n)) ** np.arange(n)
    return (ranked * weights).sum(axis=-1) / weights.sum()


def test_gmp_and_gap_are_maximum_and_mean(masks):
    values = masks.numpy()
    np.testing.assert_array_equal(GlobalMaxPooling()(masks).numpy(), values.max(axis=(2, 3)))
    np.testing.assert_allclose(
        GlobalAveragePooling()(masks).numpy(), values.mean(axis=(2, 3)), rtol=1e-6
    )


def test_gwrp_of_r_0_is_gmp_and_of_r_1_is_gap(masks):
    for reference_units in (77, 19904):
        pool = {r: GlobalWeightedRankPooling(r=r, reference_units=reference_units) for r in (0, 1)}
        np.testing.assert_allclose(pool[0](masks), GlobalMaxPooling()(masks), rtol=1e-6)
        np.testing.assert_allclose(pool[1](masks), GlobalAveragePooling()(masks), rtol=1e-5)


@pytest.mark.parametrize("r", RATIOS)
@pytest.mark.parametrize("reference_units", [77, 10, 19904])
def test_gwrp_agrees_with_a_plain_formula(masks, r, reference_units):
    pooled = GlobalWeightedRankPooling(r=r, reference_units=reference_units)(masks)
    assert pooled.shape == (3, 4)
    assert pooled.dtype == torch.float32
    np.testing.assert_allclose(pooled, _gwrp(masks, r, reference_units), rtol=1e-5)


def test_gwrp_at_the_papers_size_agrees_with_a_plain_formula():
    masks = torch.rand(1, 2, 311, 64, generator=torch.Generator().manual_seed(1))
    pooled = GlobalWeightedRankPooling(r=0.9998, reference_units=19904)(masks)
    np.testing.assert_allclose(pooled, _gwrp(masks, 0.9998, 19904), rtol=1e-5)


@pytest.mark.parametrize("r", [0.9, 0.9998])
@pytest.mark.parametrize("share", [0.01, 0.25, 0.5, 1.0])
def test_a_perfect_mask_gives_the_closed_form(r, share):
    n = 400
    masks = torch.zeros(1, 1, 20, 20)
    on = torch.randperm(n, generator=torch.Generator().manual_seed(2))[: round(share * n)]
    masks.view(-1)[on] = 1
    pooled = GlobalWeightedRankPooling(r=r, reference_units=n)(masks).item()
    assert pooled == pytest.approx((1 - r ** (share * n)) / (1 - r**n), rel=1e-5)


@pytest.mark.parametrize("shape", [(20, 20), (77, 32), (311, 64)])
def test_the_same_share_of_units_gives_about_the_same_tag_at_every_size(shape):
    # That is what reference_units is for: at the paper's size, a quarter of the mask.
    r, reference_units, share = 0.9998, 19904, 0.25
    n = shape[0] * shape[1]
    masks = torch.zeros(1, 1, *shape)
    masks.view(-1)[: round(share * n)] = 1
    pooled = GlobalWeightedRankPooling(r=r, reference_units=reference_units)(masks).item()
    at_reference = (1 - r ** (share * reference_units)) / (1 - r**reference_units)
    assert pooled == pytest.approx(at_reference, abs=1e-3)


def test_the_decay_is_rescaled_by_reference_units_over_units():
    pooling = GlobalWeightedRankPooling(r=0.9, reference_units=100)
    for n in (50, 100, 250):
        weights = pooling.weights(n).double().numpy()
        assert weights.sum() == pytest.approx(1, abs=1e-6)
        np.testing.assert_allclose(weights[1:] / weights[:-1], 0.9 ** (100 / n), rtol=1e-5)


def test_masks_of_different_sizes_do_not_share_weights():
    pooling = GlobalWeightedRankPooling(r=0.9, reference_units=30)
    for shape in ((1, 1, 5, 6), (1, 1, 3, 4), (1, 1, 5, 6)):
        masks = torch.rand(shape, generator=torch.Generator().manual_seed(3))
        np.testing.assert_allclose(pooling(masks), _gwrp(masks, 0.9, 30), rtol=1e-5)


@pytest.mark.parametrize("r", RATIOS)
def test_tags_lie_between_mean_and_maximum(masks, r):
    tags = GlobalWeightedRankPooling(r=r, reference_units=77)(masks)
    assert (tags <= masks.amax(dim=(2, 3)) + 1e-6).all()
    assert (tags >= masks.mean(dim=(2, 3)) - 1e-6).all()


@pytest.mark.parametrize(
    "pooling",
    [
        GlobalMaxPooling(),
        GlobalAveragePooling(),
        GlobalWeightedRankPooling(r=0.9, reference_units=77),
    ],
    ids=lambda pooling: type(pooling).__name__,
)
class TestEveryPooling:
    def test_where_a_sound_lies_does_not_count(self, pooling, masks):
        order = torch.randperm(77, generator=torch.Generator().manual_seed(4))
        shuffled = masks.flatten(2)[..., order].view_as(masks)
        np.testing.assert_allclose(pooling(masks), pooling(shuffled), rtol=1e-6)

    def test_clips_and_classes_do_not_see_each_other(self, pooling, masks):
        whole = pooling(masks)
        for clip, k in ((0, 0), (2, 3)):
            alone = pooling(masks[clip : clip + 1, k : k + 1])
            np.testing.assert_allclose(alone.item(), whole[clip, k].item(), rtol=1e-6)

    def test_a_constant_mask_gives_its_value(self, pooling, masks):
        constant = torch.full_like(masks, 0.3)
        np.testing.assert_allclose(pooling(constant), 0.3, rtol=1e-6)

    @pytest.mark.parametrize("shape", [(4, 11, 7), (3, 4, 77), (2, 3, 4, 11, 7), (7,)])
    def test_masks_of_another_rank_are_refused(self, pooling, masks, shape):
        with pytest.raises(ValueError, match=r"expected masks \(batch, class, time, mel\), got"):
            pooling(torch.zeros(shape))

    def test_it_has_nothing_to_learn_and_nothing_to_save(self, pooling, masks):
        assert list(pooling.parameters()) == []
        assert pooling.state_dict() == {}


@pytest.mark.parametrize("r", [0.0, 0.9, 1.0])
def test_the_gradient_of_a_unit_is_the_weight_of_its_rank(masks, r):
    masks = masks.clone().requires_grad_()
    upstream = torch.rand(3, 4, generator=torch.Generator().manual_seed(5))
    pooling = GlobalWeightedRankPooling(r=r, reference_units=77)
    pooling(masks).backward(upstream)
    units = masks.detach().numpy().reshape(3, 4, -1)
    rank = np.argsort(np.argsort(-units, axis=-1), axis=-1)
    weights = r ** np.arange(77.0)
    expected = (weights / weights.sum())[rank] * upstream.numpy()[..., None]
    np.testing.assert_allclose(masks.grad.reshape(3, 4, -1), expected, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("r", [-0.1, 1.1, float("nan")])
def test_r_outside_0_to_1_is_refused(r):
    with pytest.raises(ValueError, match=r"expected r within 0\.\.1"):
        GlobalWeightedRankPooling(r=r, reference_units=10)


class TestGwrpByCounting:
    """bfloat16 logits are not sorted; tags and gradients are those of a sort."""

    @pytest.fixture(params=["spread", "narrow", "two values", "all one value", "saturated"])
    def logits(self, request):
        normal = torch.randn(3, 5, 31, 16, generator=torch.Generator().manual_seed(6))
        return {
            "spread": normal * 4 - 3,
            "narrow": normal * 0.01 - 2,
            "two values": (normal > 1) * 3.0 - 2,
            "all one value": torch.full_like(normal, -1.25),
            "saturated": normal * 1e4,
        }[request.param].bfloat16()

    @pytest.mark.parametrize("r", [0.0, 0.9, 0.9998, 1.0])
    def test_tags_equal_the_formula(self, logits, r):
        masks = torch.sigmoid(logits.float())
        pooled = GlobalWeightedRankPooling(r=r, reference_units=496)(masks, logits)
        assert pooled.dtype == torch.float32
        np.testing.assert_allclose(pooled, _gwrp(masks, r, 496), atol=1e-6, rtol=0)

    @pytest.mark.parametrize("r", [0.9, 0.9998])
    def test_equal_units_share_the_gradient_that_a_sort_gives_them(self, logits, r):
        pooling = GlobalWeightedRankPooling(r=r, reference_units=496)
        gradients = []
        for keys in (None, logits):
            masks = torch.sigmoid(logits.float()).requires_grad_()
            pooling(masks, keys).sum().backward()
            gradients.append(masks.grad.flatten(2).flatten(0, 1).double())
        for values, by_sort, by_count in zip(
            logits.flatten(2).flatten(0, 1), *gradients, strict=True
        ):
            seen, group = torch.unique(values.float().clamp(-16, 16), return_inverse=True)
            sums = torch.zeros(len(seen), dtype=torch.float64).index_add_(0, group, by_sort)
            n = torch.bincount(group, minlength=len(seen))
            torch.testing.assert_close(by_count, (sums / n)[group], atol=1e-8, rtol=1e-4)

    def test_a_unit_of_its_own_value_has_the_weight_of_its_rank(self):
        logits = torch.linspace(-9, 9, 77).bfloat16()
        assert len(logits.unique()) == 77
        logits = logits[torch.randperm(77)].view(1, 1, 11, 7)
        masks = torch.sigmoid(logits.float()).requires_grad_()
        pooling = GlobalWeightedRankPooling(r=0.9, reference_units=77)
        pooling(masks, logits).sum().backward()
        rank = logits.flatten().argsort(descending=True).argsort()
        torch.testing.assert_close(
            masks.grad.flatten(), pooling.weights(77)[rank], rtol=1e-5, atol=0
        )

    def test_logits_near_and_far_from_zero_cost_less_than_a_millionth(self):
        # Both lie beyond the buckets: within one, the order of the units is not seen.
        for scale, shift in ((2.0**-19, 0), (3.0, 25), (3.0, -25)):
            logits = (torch.randn(2, 3, 40, 40) * scale + shift).bfloat16()
            masks = torch.sigmoid(logits.float())
            pooled = GlobalWeightedRankPooling(r=0.99, reference_units=1600)(masks, logits)
            np.testing.assert_allclose(pooled, _gwrp(masks, 0.99, 1600), atol=1e-6, rtol=0)

    def test_what_is_not_a_number_is_not_hidden(self):
        logits = torch.zeros(1, 1, 4, 4).bfloat16()
        logits[0, 0, 1, 1] = float("nan")
        masks = torch.sigmoid(logits.float())
        assert GlobalWeightedRankPooling(r=0.9, reference_units=16)(masks, logits).isnan().all()

    def test_at_the_papers_size(self):
        logits = (torch.randn(2, 3, 311, 64) * 3 - 4).bfloat16()
        masks = torch.sigmoid(logits.float())
        pooled = GlobalWeightedRankPooling(r=0.9998, reference_units=19904)(masks, logits)
        np.testing.assert_allclose(pooled, _gwrp(masks, 0.9998, 19904), atol=1e-6, rtol=0)
