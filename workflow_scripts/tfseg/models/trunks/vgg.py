"""The trunk of both papers."""

from torch import nn

from tfseg.models.trunks.blocks import ConvBlock, mask_head

DECLARATION = {
    "summary": "3x3 convolutions without down-sampling (TASLP Table I)",
    "order": 1,
    "settings": {
        "widths": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "integer", "minimum": 1, "maximum": 1000000000},
            "default": [32, 32, 64, 64, 128, 128, 128, 128],
            "description": "feature maps of each 3x3 layer (TASLP Table I)",
        },
        "dropout": {
            "type": "number",
            "minimum": 0,
            "exclusiveMaximum": 1,
            "default": 0.0,
            "description": "dropout after each pair of layers (JSC: 0.3)",
        },
    },
}


class VggTrunk(nn.Module):
    """The papers' trunks: a stack of `ConvBlock` without down-sampling, then 1x1 to the masks.

    Parameters
    ----------
    n_outputs : int
        Maps of the 1x1 layer: one for each class, and those that a pooling needs in addition.
    widths : sequence of int
        Feature maps of each 3x3 layer (TASLP Table I: 32, 32, 64, 64, 128, 128, 128, 128).
    dropout : float in [0, 1)
        After each pair of layers (JSC: 0.3).

    Attributes
    ----------
    reach_frames : int
        Frames on each side that a mask value depends on.
    """

    def __init__(self, n_outputs, *, widths, dropout):
        super().__init__()
        inputs = [1, *widths[:-1]]
        self.reach_frames = len(widths)
        layers = []
        for index, (n_inputs, n_maps) in enumerate(zip(inputs, widths, strict=True)):
            layers.append(ConvBlock(n_inputs, n_maps))
            if dropout and index % 2:
                layers.append(nn.Dropout(dropout))
        self.blocks = nn.Sequential(*layers)
        self.head = mask_head(widths[-1], n_outputs)

    def forward(self, logmel):
        """Compute the logits of the masks.

        Parameters
        ----------
        logmel : torch.Tensor [shape=(batch, time, mel)]
            Standardised per band.

        Returns
        -------
        logits : torch.Tensor [shape=(batch, n_outputs, time, mel)]
        """
        return self.head(self.blocks(logmel.unsqueeze(1)))


def build(n_outputs, *, widths, dropout):
    """Build an untrained `VggTrunk` from its settings."""
    return VggTrunk(n_outputs, widths=widths, dropout=dropout)
