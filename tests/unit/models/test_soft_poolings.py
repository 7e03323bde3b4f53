import math

import numpy as np
import pytest
import torch
from scipy.special import expit, logit

from tfseg.models.poolings.auto import AutoPooling
from tfseg.models.poolings.gtap import GlobalThresholdedAveragePooling
from tfseg.models.poolings.gwrp_learned import LearnedRankPooling
from tfseg.models.poolings.linear_softmax import LinearSoftmaxPooling
from tfseg.models.poolings.log_sum_exp import LogSumExpPooling
from tfseg.models.poolings.mel_time import MelTimePooling
from tfseg.models.poolings.power import PowerPooling
from tfseg.models.poolings.tf_attention import AttentionPooling
from tfseg.models.systems import build_network

N_CLASSES = 4


class _WithAttention(torch.nn.Module):
    """Attention pooling with a fixed map, to be tested as the others are."""

    def __init__(self):
        super().__init__()
        self.pooling = AttentionPooling()

    def forward(self, masks, logits=None):
        shape = (1, masks.shape[1], *masks.shape[2:]) if masks.ndim == 4 else masks.shape
        ramp = torch.linspace(-2, 2, math.prod(shape)).view(shape).to(masks)
        return self.pooling(masks, logits, attention=ramp.expand_as(masks))


BUILDERS = {
    "linear_softmax": LinearSoftmaxPooling,
    "power": lambda: PowerPooling(N_CLASSES, exponent=1.7),
    "auto": lambda: AutoPooling(N_CLASSES, alpha=4.0),
    "log_sum_exp": lambda: LogSumExpPooling(sharpness=3.0),
    "tf_attention": _WithAttention,
    "gwrp_learned": lambda: LearnedRankPooling(N_CLASSES, r=0.97, reference_units=77),
    "gtap": lambda: GlobalThresholdedAveragePooling(threshold=0.4),
    "mel_time": lambda: MelTimePooling(mel="linear_softmax", time="linear_softmax"),
}


@pytest.fixture
def masks():
    return torch.rand(3, N_CLASSES, 11, 7, generator=torch.Generator().manual_seed(0))


def _units(masks):
    return masks.numpy().astype(np.float64).reshape(*masks.shape[:2], -1)


def _mean(masks):
    return masks.mean(dim=(2, 3))


def _maximum(masks):
    return masks.amax(dim=(2, 3))


def _close(found, expected, atol=1e-5):
    np.testing.assert_allclose(found.detach().numpy(), expected, atol=atol, rtol=0)


class TestFormulas:
    def test_linear_softmax(self, masks):
        h = _units(masks)
        _close(LinearSoftmaxPooling()(masks), (h**2).sum(-1) / h.sum(-1))

    @pytest.mark.parametrize("n", [0.3, 1.0, 4.0])
    def test_power(self, masks, n):
        h = _units(masks)
        expected = (h ** (n + 1)).sum(-1) / (h**n).sum(-1)
        _close(PowerPooling(N_CLASSES, exponent=n)(masks), expected)

    @pytest.mark.parametrize("alpha", [-3.0, 0.5, 20.0])
    def test_auto(self, masks, alpha):
        h = _units(masks)
        weights = np.exp(alpha * h)
        _close(AutoPooling(N_CLASSES, alpha=alpha)(masks), (weights * h).sum(-1) / weights.sum(-1))

    @pytest.mark.parametrize("s", [0.2, 1.0, 6.0])
    @pytest.mark.parametrize("given", [True, False])
    def test_log_sum_exp(self, masks, s, given):
        a = logit(_units(masks))
        expected = expit(np.log(np.mean(np.exp(s * a), axis=-1)) / s)
        logits = torch.logit(masks) if given else None
        _close(LogSumExpPooling(sharpness=s)(masks, logits), expected)

    def test_attention(self, masks):
        attention = torch.randn_like(masks)
        s, h = expit(_units(attention)), _units(masks)
        expected = (s * h).sum(-1) / s.sum(-1)
        _close(AttentionPooling()(masks, attention=attention), expected)

    @pytest.mark.parametrize("r", [0.5, 0.97, 0.9998])
    @pytest.mark.parametrize("reference_units", [77, 1000])
    def test_learned_rank(self, masks, r, reference_units):
        ranked = -np.sort(-_units(masks), axis=-1)
        weights = r ** (np.arange(77) * reference_units / 77)
        expected = (ranked * weights).sum(-1) / weights.sum()
        pooling = LearnedRankPooling(N_CLASSES, r=r, reference_units=reference_units)
        _close(pooling(masks), expected)

    @pytest.mark.parametrize("threshold", [0.0, 0.5, 0.9])
    def test_thresholded_average(self, masks, threshold):
        expected = [[h[h > threshold].mean() for h in clip] for clip in _units(masks)]
        _close(GlobalThresholdedAveragePooling(threshold=threshold)(masks), expected)

    @pytest.mark.parametrize("mel", ["max", "mean", "linear_softmax"])
    @pytest.mark.parametrize("time", ["max", "linear_softmax"])
    def test_mel_and_time_apart(self, masks, mel, time):
        pooled = {
            "max": lambda h: h.max(-1),
            "mean": lambda h: h.mean(-1),
            "linear_softmax": lambda h: (h**2).sum(-1) / h.sum(-1),
        }
        expected = pooled[time](pooled[mel](masks.numpy().astype(np.float64)))
        _close(MelTimePooling(mel=mel, time=time)(masks), expected)

    def test_attention_over_time(self, masks):
        attention = torch.randn_like(masks)
        weights = np.exp(attention.double().numpy().mean(-1))
        weights /= weights.sum(-1, keepdims=True)
        expected = (weights * masks.numpy().max(-1)).sum(-1)
        _close(MelTimePooling(mel="max", time="attention")(masks, attention=attention), expected)


class TestLimits:
    def test_no_unit_above_the_threshold_gives_the_largest(self, masks):
        pooling = GlobalThresholdedAveragePooling(threshold=0.5)
        _close(pooling(masks / 4), _maximum(masks / 4))
        masks = (masks / 4).requires_grad_()
        pooling(masks).sum().backward()
        assert (masks.grad > 0).sum() == 3 * N_CLASSES

    def test_a_short_narrow_sound_has_the_tag_of_a_long_one(self):
        masks = torch.zeros(1, 2, 20, 8)
        masks[0, 0, 3:5, 2] = 1
        masks[0, 1] = 1
        _close(MelTimePooling(mel="max", time="linear_softmax")(masks), [[1, 1]])

    def test_power_0_is_the_mean_1_linear_softmax_and_large_the_maximum(self, masks):
        _close(PowerPooling(N_CLASSES, exponent=1e-6)(masks), _mean(masks))
        _close(PowerPooling(N_CLASSES, exponent=1.0)(masks), LinearSoftmaxPooling()(masks))
        _close(PowerPooling(N_CLASSES, exponent=1e5)(masks), _maximum(masks), atol=1e-4)

    def test_auto_0_is_the_mean_and_large_the_maximum(self, masks):
        _close(AutoPooling(N_CLASSES, alpha=0.0)(masks), _mean(masks))
        _close(AutoPooling(N_CLASSES, alpha=1e5)(masks), _maximum(masks), atol=1e-4)

    def test_log_sum_exp_0_is_the_mean_logit_and_large_the_maximum(self, masks):
        low = LogSumExpPooling(sharpness=1e-3)(masks)
        _close(low, expit(logit(_units(masks)).mean(-1)), atol=3e-3)
        _close(LogSumExpPooling(sharpness=1e4)(masks), _maximum(masks), atol=1e-3)

    def test_a_constant_attention_is_the_mean_and_one_unit_alone_that_unit(self, masks):
        constant = torch.full_like(masks, 0.7)
        _close(AttentionPooling()(masks, attention=constant), _mean(masks))
        single = torch.full_like(masks, -60.0)
        single[:, :, 2, 3] = 60
        _close(AttentionPooling()(masks, attention=single), masks[:, :, 2, 3])

    def test_a_rank_decay_of_1_is_the_mean_and_of_0_the_maximum(self, masks):
        slow = LearnedRankPooling(N_CLASSES, r=1 - 1e-9, reference_units=77)
        fast = LearnedRankPooling(N_CLASSES, r=1e-30, reference_units=77)
        _close(slow(masks), _mean(masks))
        _close(fast(masks), _maximum(masks))

    def test_half_a_mask_at_one_is_one_for_linear_softmax(self):
        masks = torch.zeros(1, 1, 4, 4)
        masks[..., :2] = 1
        assert LinearSoftmaxPooling()(masks).item() == 1


@pytest.mark.parametrize("name", BUILDERS)
class TestEveryPooling:
    @pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
    def test_a_constant_mask_gives_its_value(self, name, masks, value):
        _close(BUILDERS[name]()(torch.full_like(masks, value)), value)

    def test_tags_lie_between_mean_and_maximum(self, name, masks):
        # Attention may prefer low units: it lies between minimum and maximum.
        tags = BUILDERS[name]()(masks)
        lowest = masks.amin(dim=(2, 3)) if name == "tf_attention" else _mean(masks)
        lowest = torch.zeros_like(lowest) if name == "log_sum_exp" else lowest
        assert (tags >= lowest - 1e-6).all()
        assert (tags <= _maximum(masks) + 1e-6).all()

    @pytest.mark.parametrize("shape", [(4, 11, 7), (3, 4, 77), (2, 3, 4, 11, 7)])
    def test_masks_of_another_rank_are_refused(self, name, masks, shape):
        with pytest.raises(ValueError, match=r"expected masks \(batch, class, time, mel\), got"):
            BUILDERS[name]()(torch.zeros(shape))

    def test_gradients_are_those_of_finite_differences(self, name, masks):
        pooling = BUILDERS[name]().double()
        masks = masks[:1].double().requires_grad_()
        assert torch.autograd.gradcheck(pooling, (masks,), eps=1e-6, atol=1e-5)

    def test_gradients_of_what_is_learned_are_those_of_finite_differences(self, name, masks):
        pooling, masks = BUILDERS[name]().double(), masks.double()
        for parameter in pooling.parameters():
            pooling(masks).sum().backward()
            found, step = parameter.grad.clone(), 1e-6
            for k in range(N_CLASSES):
                with torch.no_grad():
                    values = []
                    for sign in (1, -1):
                        parameter[k] += sign * step
                        values.append(pooling(masks).sum().item())
                        parameter[k] -= sign * step
                assert found[k].item() == pytest.approx(
                    (values[0] - values[1]) / (2 * step), rel=1e-4, abs=1e-7
                )

    def test_masks_of_exactly_zero_and_one_have_finite_gradients(self, name):
        masks = torch.zeros(2, N_CLASSES, 5, 5)
        masks[0, :, :2] = 1
        masks.requires_grad_()
        pooling = BUILDERS[name]()
        tags = pooling(masks)
        tags.sum().backward()
        gradients = [masks.grad, *(p.grad for p in pooling.parameters())]
        assert all(torch.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("system", BUILDERS)
def test_as_a_system_it_trains_with_and_without_background(full_config, system, background):
    torch.manual_seed(0)
    network = build_network(
        system,
        n_classes=3,
        n_mels=8,
        trunk_settings={
            "kind": "vgg",
            "vgg": {"widths": [4, 4], "dropout": 0.0},
            "background": background,
            "share_energy": False,
        },
        pooling_settings=full_config["pooling"],
    )
    with torch.no_grad():
        network.trunk.head.bias.fill_(-3.0)  # masks that leave something to the background
    logmel = torch.randn(4, 20, 8)
    tags, masks = network.train()(logmel)
    assert tags.shape == (4, 3 + background)
    assert masks.shape == (4, 3 + background, 20, 8)
    tags.log().sum().backward()
    gradients = {name: p.grad for name, p in network.named_parameters()}
    assert all(g is not None and g.abs().sum() > 0 for g in gradients.values())
    with torch.inference_mode():
        tags, masks = network.eval()(logmel)
    assert tags.shape == (4, 3)
    assert masks.shape == (4, 3, 20, 8)
    assert ((tags >= 0) & (tags <= 1)).all()


def test_what_is_learned_belongs_to_one_class(masks):
    pooling = PowerPooling(N_CLASSES, exponent=1.0)
    before = pooling(masks)
    with torch.no_grad():
        pooling.log_exponent[2] = 3.0
    after = pooling(masks)
    changed = (before != after).any(dim=0)
    assert changed.tolist() == [False, False, True, False]
