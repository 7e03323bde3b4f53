"""Auto-pooling."""

import torch
from torch import nn

from tfseg.models.poolings.units import check_masks, of_masks, weighted_mean

DECLARATION = {
    "summary": "weights exp(alpha h), with alpha learned for each class",
    "order": 6,
    "settings": {
        "alpha": {
            "type": "number",
            "minimum": -1000,
            "maximum": 1000,
            "default": 5.0,
            "description": "alpha at the start of the training",
        },
    },
}


class AutoPooling(nn.Module):
    """Weights exp(alpha h), with alpha learned for each class.

    Source: McFee, Salamon and Bello, TASLP 2018 (arXiv 1804.10070). alpha = 0 is GAP; alpha to
    infinity is GMP. With 20 000 units, their initial alpha = 1 hardly differs from the mean.

    Parameters
    ----------
    n_masks : int
    alpha : float
        Initial value.
    """

    def __init__(self, n_masks, *, alpha):
        super().__init__()
        self.alpha = nn.Parameter(torch.full((n_masks,), float(alpha)))

    def forward(self, masks, logits=None):
        """Pool masks [shape=(batch, class, time, mel)] to tags [shape=(batch, class)]."""
        check_masks(masks)
        units = masks.flatten(2)
        return weighted_mean(units, of_masks(self.alpha, units) * units)


def build(n_masks, *, alpha):
    """Build `AutoPooling` from its settings."""
    return AutoPooling(n_masks, alpha=alpha)
