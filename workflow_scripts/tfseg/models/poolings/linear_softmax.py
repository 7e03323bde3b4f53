"""Linear softmax pooling."""

from torch import nn

from tfseg.models.poolings.units import LEAST, check_masks

DECLARATION = {
    "summary": "sum h^2 / sum h over the units h",
    "order": 4,
    "settings": {},
}


class LinearSoftmaxPooling(nn.Module):
    """Each unit is weighted by its own value: sum h^2 / sum h.

    Source: Wang, Li and Metze, ICASSP 2019 (arXiv 1810.09050), where it localised best of five
    poolings. A mask that is one in some units and zero elsewhere has the tag one. So a short sound
    can reach the same tag as a long one.
    """

    def forward(self, masks, logits=None):
        """Pool masks [shape=(batch, class, time, mel)] to tags [shape=(batch, class)]."""
        check_masks(masks)
        units = masks.flatten(2)
        return units.square().sum(dim=-1) / units.sum(dim=-1).clamp(min=LEAST)


def build(n_masks):
    """Build `LinearSoftmaxPooling` from its settings."""
    return LinearSoftmaxPooling()
