"""Power pooling."""

import math

import torch
from torch import nn

from tfseg.models.poolings.units import LEAST, check_masks, of_masks, weighted_mean

DECLARATION = {
    "summary": "sum h^(n + 1) / sum h^n, with n learned for each class",
    "order": 5,
    "settings": {
        "exponent": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 1000,
            "default": 1.0,
            "description": "n at the start of the training (1: linear softmax)",
        },
    },
}


class PowerPooling(nn.Module):
    """Weights h^n, with n learned for each class: sum h^(n + 1) / sum h^n.

    Source: Liu, Chen, Wang and Zhang, 2021 (arXiv 2010.09985). n = 0 is GAP, n = 1 is linear
    softmax, and n to infinity is GMP. Our choice: the logarithm of n is learned, so that n stays
    positive.

    Parameters
    ----------
    n_masks : int
    exponent : float > 0
        Initial value of n.
    """

    def __init__(self, n_masks, *, exponent):
        super().__init__()
        self.log_exponent = nn.Parameter(torch.full((n_masks,), math.log(exponent)))

    def forward(self, masks, logits=None):
        """Pool masks [shape=(batch, class, time, mel)] to tags [shape=(batch, class)]."""
        check_masks(masks)
        units = masks.flatten(2)
        exponent = of_masks(self.log_exponent.exp(), units)
        return weighted_mean(units, exponent * units.clamp(min=LEAST).log())


def build(n_masks, *, exponent):
    """Build `PowerPooling` from its settings."""
    return PowerPooling(n_masks, exponent=exponent)
