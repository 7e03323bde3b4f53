"""A U-Net whose way up restores time, and mel only in part."""

import itertools

from torch import nn

from tfseg.models.trunks.blocks import ConvBlock, mask_head, repeated

DECLARATION = {
    "summary": "LUU-Net: a U-Net whose way up restores time, and mel in part (Lee et al. 2023)",
    "order": 5,
    "settings": {
        "widths": {
            "type": "array",
            "minItems": 2,
            "maxItems": 8,
            "items": {"type": "integer", "minimum": 1, "maximum": 1000000000},
            "default": [16, 32, 64, 128],
            "description": "feature maps of each level; each level halves the resolution",
        },
        "blocks": {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "default": 2,
            "description": "3x3 layers of each level on the way down",
        },
        "mel_restored": {
            "type": "integer",
            "minimum": 0,
            "maximum": 7,
            "default": 0,
            "description": "of the poolings over mel, those that the way up undoes",
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


class LimitedUpsamplingTrunk(nn.Module):
    """LUU-Net: masks with the frames of the input and fewer bands, which are then repeated.

    Source: Lee, Kim and Jang, "Weakly Supervised U-Net with Limited Upsampling for Sound Event
    Detection", Applied Sciences 13:6822, 2023: on the way up, the expansion over frequency is
    minimised, since frame scores are means over frequency. Our choices, as the abstract does not
    fix them: widths and number of layers; blocks and skip connections as in
    `tfseg.models.trunks.unet.UnetTrunk`; max pooling of the skip connections to the bands that are
    left; repetition of the masks to all bands, so that the trunk is one like the others.

    Parameters
    ----------
    n_outputs : int
        As in `VggTrunk`.
    widths : sequence of int
        Feature maps of each level, the finest first.
    blocks : int
        3x3 layers of each level on the way down.
    mel_restored : int
        The coarsest so many levels double the bands on the way up. With 0, masks of four levels
        have an eighth of the bands.
    dropout : float in [0, 1)
        On the coarsest level's maps.

    Attributes
    ----------
    reach_frames : int
        As in `UnetTrunk`.
    """

    def __init__(self, n_outputs, *, widths, blocks, mel_restored, dropout):
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
        self._mel_factors = [2 if level < mel_restored else 1 for level in range(len(pairs))]
        coarsest = 2 ** len(pairs)
        reach = sum((blocks + 2) * 2**level for level in range(len(widths)))
        self.reach_frames = -(-reach // coarsest) * coarsest

    def forward(self, logmel):
        """Compute the logits of the masks; shapes as in `UnetTrunk`."""
        skips = [self.down[0](logmel.unsqueeze(1))]
        for blocks in self.down[1:]:
            skips.append(blocks(self.pool(skips[-1])))
        maps = self.dropout(skips.pop())
        missing = 1  # times that the maps have fewer bands than the skip connection
        for reduce, up, factor in zip(self.reduce, self.up, self._mel_factors, strict=True):
            missing *= 2 // factor
            skip = skips.pop()
            if missing > 1:
                skip = nn.functional.max_pool2d(skip, (1, missing), ceil_mode=True)
            maps = up(skip + repeated(reduce(maps), (2, factor), skip))
        return repeated(self.head(maps), (1, missing), logmel)


def build(n_outputs, **settings):
    """Build an untrained `LimitedUpsamplingTrunk` from its settings."""
    return LimitedUpsamplingTrunk(n_outputs, **settings)
