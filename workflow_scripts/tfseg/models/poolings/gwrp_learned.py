"""GWRP with a learned decay."""

import math

import torch
from torch import nn

from tfseg.models.poolings.units import check_masks, of_masks, weighted_mean

DECLARATION = {
    "summary": "GWRP with r learned for each class",
    "order": 9,
    "settings": {
        "r": {
            "type": "number",
            "exclusiveMinimum": 0,
            "exclusiveMaximum": 1,
            "default": 0.9998,
            "description": "decay per rank at the start of the training",
        },
        "reference_units": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1000000000,
            "default": 19904,
            "unit": "T-F units",
            "description": "number of units that r was chosen for (311 x 64); rescaled for others",
        },
    },
}


class LearnedRankPooling(nn.Module):
    """GWRP (TASLP eq. 7) with r learned for each class, so that short sounds may decay faster.

    Our choice: the logarithm of -ln r is learned, which keeps r in (0, 1). r = 1 is GAP; r = 0
    is GMP. As in GWRP, the decay is rescaled with the number of units.

    Parameters
    ----------
    n_masks : int
    r : float in (0, 1)
        Initial value.
    reference_units : int
        The number of units that `r` was chosen for.
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
        return weighted_mean(ranked, -of_masks(self.log_decay.exp(), ranked) * ranks)


def build(n_masks, *, r, reference_units):
    """Build `LearnedRankPooling` from its settings."""
    return LearnedRankPooling(n_masks, r=r, reference_units=reference_units)
