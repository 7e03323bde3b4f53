"""Dilated convolutions at full resolution."""

from torch import nn

from tfseg.models.trunks.blocks import ConvBlock, mask_head

DECLARATION = {
    "summary": "a stack of dilated blocks at full resolution",
    "order": 3,
    "settings": {
        "width": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1000000000,
            "default": 32,
            "description": "feature maps of each 3x3 layer",
        },
        "dilations": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "integer", "minimum": 1, "maximum": 1024},
            "default": [1, 2, 4, 8, 16],
            "unit": "frames",
            "description": "dilation over time of each layer after the first",
        },
        "dropout": {
            "type": "number",
            "minimum": 0,
            "exclusiveMaximum": 1,
            "default": 0.0,
            "description": "dropout before the masks",
        },
    },
}


class DilatedTrunk(nn.Module):
    """A stack of dilated blocks at full resolution; by default the dilation doubles each layer.

    Source: Yu and Koltun, ICLR 2016 (arXiv 1511.07122). Our choices: blocks are residual (He et
    al., CVPR 2016), so that a deep stack trains as well; dilation over mel is at most 4.

    Parameters
    ----------
    n_outputs : int
        As in `VggTrunk`.
    width : int
        Feature maps of every layer.
    dilations : sequence of int
        Dilation over time of each 3x3 layer after the first, which is not dilated.
    dropout : float in [0, 1)
        Before the 1x1 layer.

    Attributes
    ----------
    reach_frames : int
        Frames on each side that a mask value depends on.
    """

    _MOST_BANDS = 4

    def __init__(self, n_outputs, *, width, dilations, dropout):
        super().__init__()
        self.first = ConvBlock(1, width)
        self.blocks = nn.ModuleList(
            ConvBlock(width, width, dilation=(step, min(step, self._MOST_BANDS)))
            for step in dilations
        )
        self.dropout = nn.Dropout2d(dropout)
        self.head = mask_head(width, n_outputs)
        self.reach_frames = 1 + sum(dilations)

    def forward(self, logmel):
        """Compute the logits of the masks; shapes as in `UnetTrunk`."""
        maps = self.first(logmel.unsqueeze(1))
        for block in self.blocks:
            maps = maps + block(maps)
        return self.head(self.dropout(maps))


def build(n_outputs, *, width, dilations, dropout):
    """Build an untrained `DilatedTrunk` from its settings."""
    return DilatedTrunk(n_outputs, width=width, dilations=dilations, dropout=dropout)
