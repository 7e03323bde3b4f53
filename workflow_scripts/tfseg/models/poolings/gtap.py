"""Global thresholded average pooling."""

import torch
from torch import nn

from tfseg.models.poolings.units import check_masks

DECLARATION = {
    "summary": "the mean of the units above a threshold",
    "order": 10,
    "settings": {
        "threshold": {
            "type": "number",
            "minimum": 0,
            "exclusiveMaximum": 1,
            "default": 0.1,
            "description": "units above it are averaged",
        },
    },
}


class GlobalThresholdedAveragePooling(nn.Module):
    """GTAP: the mean of the units above a threshold, or the largest unit where none is.

    Source: Lee, Kim and Jang, Applied Sciences 13:6822, 2023, where it replaces the sort of GWRP.
    Our choices: the threshold, that of the papers' masks, and the largest unit where none is above
    it. The tag is then continuous in the masks, and a mask below the threshold still learns.

    Parameters
    ----------
    threshold : float in [0, 1)
        0 is GAP, as sigmoids are above zero.
    """

    def __init__(self, *, threshold):
        super().__init__()
        self.threshold = float(threshold)

    def forward(self, masks, logits=None):
        """Pool masks [shape=(batch, class, time, mel)] to tags [shape=(batch, class)]."""
        check_masks(masks)
        units = masks.flatten(2)
        above = (units > self.threshold).to(units.dtype)
        n_above = above.sum(dim=-1)
        mean = (units * above).sum(dim=-1) / n_above.clamp(min=1)
        return torch.where(n_above > 0, mean, units.amax(dim=-1))


def build(n_masks, *, threshold):
    """Build `GlobalThresholdedAveragePooling` from its settings."""
    return GlobalThresholdedAveragePooling(threshold=threshold)
