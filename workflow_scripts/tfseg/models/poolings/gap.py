"""Global average pooling."""

from torch import nn

from tfseg.models.poolings.units import check_masks

DECLARATION = {
    "summary": "the mean of all units (TASLP eq. 6)",
    "order": 2,
    "settings": {},
}


class GlobalAveragePooling(nn.Module):
    """GAP: the mean of all units (TASLP eq. 6)."""

    def forward(self, masks, logits=None):
        """Pool masks [shape=(batch, class, time, mel)] to tags [shape=(batch, class)]."""
        check_masks(masks)
        return masks.mean(dim=(2, 3))


def build(n_masks):
    """Build `GlobalAveragePooling` from its settings."""
    return GlobalAveragePooling()
