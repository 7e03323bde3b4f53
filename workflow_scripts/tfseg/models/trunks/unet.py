"""A U-Net that makes masks."""

import itertools

from torch import nn
from torch.nn import functional

from tfseg.models.trunks.blocks import ConvBlock, mask_head

DECLARATION = {
    "summary": "a U-Net with a context of seconds and octaves; masks at full resolution",
    "order": 2,
    "settings": {
        "widths": {
            "type": "array",
            "minItems": 2,
            "maxItems": 8,  # the coarsest level pools 2^7 frames and bands into one
            "items": {"type": "integer", "minimum": 1, "maximum": 1000000000},
            "default": [16, 32, 64, 128],
            "description": "feature maps of each level; each level halves the resolution",
        },
        "blocks": {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "default": 1,
            "description": "3x3 layers of each level on the way down",
        },
        "dropout": {
            "type": "number",
            "minimum": 0,
            "exclusiveMaximum": 1,
            "default": 0.0,
            "description": "dropout on the coarsest level",
        },
    },
}


class UnetTrunk(nn.Module):
    """A U-Net: context of seconds and octaves at coarse resolution, masks at full resolution.

    On the way down each level has some `ConvBlock`, then max pooling by 2 over time and mel. On the
    way up, a 1x1 block brings the coarser level's maps to the finer level's width. They are
    repeated 2 by 2, added to the skip connection (a sum costs half of the published concatenation)
    and passed through a block.

    Source: Ronneberger, Fischer and Brox, MICCAI 2015 (arXiv 1505.04597), and for masks of
    spectrograms Jansson et al., ISMIR 2017. Our choices: sums, one block per level on the way up,
    pooling of the remainder where 2 does not divide a size, and batch normalisation throughout.

    Parameters
    ----------
    n_outputs : int
        As in `VggTrunk`.
    widths : sequence of int
        Feature maps of each level, the finest first.
    blocks : int
        3x3 layers of each level on the way down; the published network has two.
    dropout : float in [0, 1)
        On the coarsest level's maps.

    Attributes
    ----------
    reach_frames : int
        Frames on each side that a mask value may depend on. It is a multiple of the coarsest
        level's frame, so that a piece that begins so much earlier is pooled as the whole recording
        is.
    """

    def __init__(self, n_outputs, *, widths, blocks, dropout):
        super().__init__()
        self.down = nn.ModuleList(
            nn.Sequential(
                ConvBlock(n_inputs, n_maps), *(ConvBlock(n_maps, n_maps) for _ in range(blocks - 1))
            )
            for n_inputs, n_maps in itertools.pairwise([1, *widths])
        )
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.dropout = nn.Dropout2d(dropout)
        # From coarse to fine.
        pairs = list(itertools.pairwise(reversed(widths)))
        self.reduce = nn.ModuleList(
            ConvBlock(coarse, fine, kernel_size=1) for coarse, fine in pairs
        )
        self.up = nn.ModuleList(ConvBlock(fine, fine) for _, fine in pairs)
        self.head = mask_head(widths[0], n_outputs)
        coarsest = 2 ** (len(widths) - 1)
        # In frames of 2**l at level l: the blocks down, one block up, one pool and one repeat.
        reach = sum((blocks + 2) * 2**level for level in range(len(widths)))
        self.reach_frames = -(-reach // coarsest) * coarsest

    def forward(self, logmel):
        """Compute the logits of the masks.

        Parameters
        ----------
        logmel : torch.Tensor [shape=(batch, time, mel)]
            Standardised per band; of any length.

        Returns
        -------
        logits : torch.Tensor [shape=(batch, n_outputs, time, mel)]
        """
        maps, skips = logmel.unsqueeze(1), []
        for level, blocks in enumerate(self.down):
            maps = blocks(self.pool(maps) if level else maps)
            skips.append(maps)
        maps = self.dropout(skips.pop())
        for reduce, up in zip(self.reduce, self.up, strict=True):
            skip = skips.pop()
            coarse = functional.interpolate(reduce(maps), scale_factor=2, mode="nearest")
            maps = up(skip + coarse[:, :, : skip.shape[2], : skip.shape[3]])
        return self.head(maps)


def build(n_outputs, *, widths, blocks, dropout):
    """Build an untrained `UnetTrunk` from its settings."""
    return UnetTrunk(n_outputs, widths=widths, blocks=blocks, dropout=dropout)
