"""Classification mappings g2 between mean and maximum, beyond the papers': any trunk takes them.

All see the masks' units as one set, as the papers' poolings do, and give a tag between the mean
and the maximum of a mask. What they learn, they learn for each class. Masks may be exactly zero or
one in float32: logarithms and logits are taken no closer to either than `LEAST`.
"""

import math

import torch
from torch import nn

from tfseg.models.poolings import check_masks

LEAST = 1e-7


def _weighted_mean(units, log_weights):
    """Mean of units [shape=(batch, class, unit)] under softmax weights."""
    return (torch.softmax(log_weights, dim=-1) * units).sum(dim=-1)


def _of_masks(values, units):
    """Learned values of the masks that there are: a background's mask is not made when evaluated."""
    return values[: units.shape[1], None]


class LinearSoftmaxPooling(nn.Module):
    """Every unit weighs as much as it says: sum h^2 / sum h.

    Source: Wang, Li and Metze, ICASSP 2019 (arXiv 1810.09050), where it localised best of five
    poolings. Half a mask at one and half at zero gives one: a short sound has no lower ceiling.
    """

    def forward(self, masks, logits=None):
        """Pool masks [shape=(batch, class, time, mel)] to tags [shape=(batch, class)]."""
        check_masks(masks)
        units = masks.flatten(2)
        return units.square().sum(dim=-1) / units.sum(dim=-1).clamp(min=LEAST)


class PowerPooling(nn.Module):
    """Weights h^n, with n learned for each class: sum h^(n + 1) / sum h^n.

    Source: Liu, Chen, Wang and Zhang, 2021 (arXiv 2010.09985). n = 0 is GAP, n = 1 linear softmax, n to
    infinity GMP. Our choice: the logarithm of n is learned, so that n stays positive.

    Parameters
    ----------
    n_masks : int
    exponent : float > 0
        n at the start.
    """

    def __init__(self, n_masks, *, exponent):
        super().__init__()
        self.log_exponent = nn.Parameter(torch.full((n_masks,), math.log(exponent)))

    def forward(self, masks, logits=None):
        """Pool masks [shape=(batch, class, time, mel)] to tags [shape=(batch, class)]."""
        check_masks(masks)
        units = masks.flatten(2)
        exponent = _of_masks(self.log_exponent.exp(), units)
        return _weighted_mean(units, exponent * units.clamp(min=LEAST).log())


class AutoPooling(nn.Module):
    """Weights exp(alpha h), with alpha learned for each class.

    Source: McFee, Salamon and Bello, TASLP 2018 (arXiv 1804.10070). alpha = 0 is GAP, alpha to
    infinity GMP. Over 20 000 units alpha = 1, their start, hardly differs from the mean.

    Parameters
    ----------
    n_masks : int
    alpha : float
        At the start.
    """

    def __init__(self, n_masks, *, alpha):
        super().__init__()
        self.alpha = nn.Parameter(torch.full((n_masks,), float(alpha)))

    def forward(self, masks, logits=None):
        """Pool masks [shape=(batch, class, time, mel)] to tags [shape=(batch, class)]."""
        check_masks(masks)
        units = masks.flatten(2)
        return _weighted_mean(units, _of_masks(self.alpha, units) * units)


class LogSumExpPooling(nn.Module):
    """Smooth maximum of the logits: sigmoid of log(mean exp(s a)) / s.

    Source: Pinheiro and Collobert, CVPR 2015 (arXiv 1411.6228). s to 0 is the mean of the logits, s
    to infinity GMP.

    Parameters
    ----------
    sharpness : float > 0
        s.
    """

    def __init__(self, *, sharpness):
        super().__init__()
        self.sharpness = float(sharpness)

    def forward(self, masks, logits=None):
        """Pool masks [shape=(batch, class, time, mel)] to tags [shape=(batch, class)]."""
        check_masks(masks)
        scores = torch.logit(masks, eps=LEAST) if logits is None else logits.float()
        scores = scores.flatten(2)
        total = torch.logsumexp(self.sharpness * scores, dim=-1) - math.log(scores.shape[-1])
        return torch.sigmoid(total / self.sharpness)


class AttentionPooling(nn.Module):
    """A second map of each class says which units count: sum s h / sum s, s the map's sigmoid.

    Source: attention of Kong, Xu, Wang and Plumbley, ICASSP 2018 (arXiv 1711.00927), over T-F units.
    The trunk gives one more map for each mask. A constant map is GAP. Where a sound is, is shared
    between mask and map: of the two only the mask is scored.
    """

    needs_attention = True

    def forward(self, masks, logits=None, *, attention):
        """Pool masks and attention logits [shape=(batch, class, time, mel)] to tags."""
        check_masks(masks)
        weights = torch.sigmoid(attention.flatten(2).float()).clamp(min=LEAST)
        return (weights * masks.flatten(2)).sum(dim=-1) / weights.sum(dim=-1)


class LearnedRankPooling(nn.Module):
    """GWRP (TASLP eq. 7) with r learned for each class, so that short sounds may decay faster.

    Our choice: the logarithm of -ln r is learned, which keeps r between 0 and 1. r = 1 is GAP, r = 0
    is GMP. Of every number of units the same share matters, as in GWRP.

    Parameters
    ----------
    n_masks : int
    r : float in (0, 1)
        At the start.
    reference_units : int
        The number of units that `r` is meant for.
    """

    def __init__(self, n_masks, *, r, reference_units):
        super().__init__()
        self.reference_units = int(reference_units)
        self.log_decay = nn.Parameter(torch.full((n_masks,), math.log(-math.log(r))))

    def forward(self, masks, logits=None):
        """Pool masks [shape=(batch, class, time, mel)] to tags [shape=(batch, class)]."""
        check_masks(masks)
        ranked = masks.flatten(2).sort(dim=-1, descending=True).values
        n_units = ranked.shape[-1]
        ranks = torch.arange(n_units, device=masks.device) * (self.reference_units / n_units)
        return _weighted_mean(ranked, -_of_masks(self.log_decay.exp(), ranked) * ranks)
