"""Global max pooling."""

from torch import nn

from tfseg.models.poolings.units import check_masks

DECLARATION = {
    "summary": "the largest unit (TASLP eq. 5)",
    "order": 1,
    "settings": {},
}


class GlobalMaxPooling(nn.Module):
    """GMP: the largest unit (TASLP eq. 5)."""

    def forward(self, masks, logits=None):
        """Pool masks [shape=(batch, class, time, mel)] to tags [shape=(batch, class)]."""
        check_masks(masks)
        return masks.amax(dim=(2, 3))


def build(n_masks):
    """Build `GlobalMaxPooling` from its settings."""
    return GlobalMaxPooling()
