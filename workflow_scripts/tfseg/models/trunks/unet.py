"""A U-Net that makes masks."""

import itertools
import math

import torch
from torch import nn

from tfseg.errors import ConfigError
from tfseg.models.trunks.blocks import (
    CONTEXTS,
    ConvBlock,
    LocalGate,
    logit_of_both,
    mask_head,
    repeated,
)

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
        "mel_only": {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": 7},
            "default": [],
            "description": "poolings that keep time and halve mel (1: the finest level's)",
        },
        "time_only": {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": 7},
            "default": [],
            "description": "poolings that keep mel and halve time",
        },
        "gate_width": {
            "type": "integer",
            "minimum": 0,
            "maximum": 1000000000,
            "default": 0,
            "description": "feature maps of a local gate that multiplies the masks; 0: none",
        },
        "gate_upsampling": {
            "type": "boolean",
            "default": False,
            "description": "multiply coarser maps by a gate of the finer level on the way up",
        },
        "context": {
            "enum": ["none", "dilated", "gru"],
            "default": "none",
            "description": "layers over time on the coarsest level, for all bands alike",
        },
        "coarse_tags": {
            "type": "boolean",
            "default": False,
            "description": "coarse masks, trained on the tags as well, multiply the masks",
        },
        "coarse_pools": {
            "type": "integer",
            "minimum": 0,
            "maximum": 5,
            "default": 0,
            "description": "further poolings over time before the coarse masks",
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
    pooling of the remainder where 2 does not divide a size, batch normalisation throughout, and all
    that the parameters after `dropout` add.

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
    mel_only, time_only : sequence of int
        Poolings, counted from 1, that keep time or keep mel. Borders are as fine as the finest
        level whose maps the coarser ones do not blur.
    gate_width : int
        Feature maps of a `LocalGate`, whose sigmoid multiplies the masks; 0: none.
    gate_upsampling : bool
        Whether the coarser maps are multiplied, before the sum, by the sigmoid of a 1x1 layer on
        the skip connection: they then count only where the finer level hears something. (Oktay et
        al., 2018, arXiv 1804.03999, gate the skip connection by the coarser maps instead.)
    context : {"none", "dilated", "gru"}
        `DilatedContext` or `RecurrentContext` on the coarsest level.
    coarse_tags : bool
        Whether the coarsest level has masks of its own, which multiply the fine ones. Fine and
        coarse masks are then views: each is also pooled and trained on the tags by itself
        (`tfseg.models.systems.MaskNetwork`).
    coarse_pools : int
        Max poolings by 2 over time, each followed by a block, before the coarse masks.

    Attributes
    ----------
    n_views : int
        Groups of `n_outputs` among the outputs: the masks, then, with `coarse_tags`, the fine masks
        and the coarse masks.
    reach_frames : int
        Frames on each side that a mask value may depend on. It is a multiple of the coarsest
        level's frame, so that a piece that begins so much earlier is pooled as the whole recording
        is.
    coarsest_frames : int
        Frames of that level's frame.
    """

    def __init__(
        self,
        n_outputs,
        *,
        widths,
        blocks,
        dropout,
        mel_only=(),
        time_only=(),
        gate_width=0,
        gate_upsampling=False,
        context="none",
        coarse_tags=False,
        coarse_pools=0,
    ):
        super().__init__()
        _check_poolings(len(widths) - 1, mel_only=mel_only, time_only=time_only)
        self.strides = [
            (1 if pooling in mel_only else 2, 1 if pooling in time_only else 2)
            for pooling in range(1, len(widths))
        ]
        self.down = nn.ModuleList(
            nn.Sequential(
                ConvBlock(n_inputs, n_maps), *(ConvBlock(n_maps, n_maps) for _ in range(blocks - 1))
            )
            for n_inputs, n_maps in itertools.pairwise([1, *widths])
        )
        self.pools = nn.ModuleList(nn.MaxPool2d(s, ceil_mode=True) for s in self.strides)
        self.dropout = nn.Dropout2d(dropout)
        # From coarse to fine.
        pairs = list(itertools.pairwise(reversed(widths)))
        self.reduce = nn.ModuleList(
            ConvBlock(coarse, fine, kernel_size=1) for coarse, fine in pairs
        )
        self.up = nn.ModuleList(ConvBlock(fine, fine) for _, fine in pairs)
        self.head = mask_head(widths[0], n_outputs)
        self.gate = LocalGate(gate_width, n_outputs) if gate_width else None
        self.gates_up = (
            nn.ModuleList(nn.Conv2d(fine, fine, kernel_size=1) for _, fine in pairs)
            if gate_upsampling
            else None
        )
        self.context = None if context == "none" else CONTEXTS[context](widths[-1])
        self.coarse = _coarse_masks(widths[-1], n_outputs, coarse_pools) if coarse_tags else None
        self.n_views = 3 if coarse_tags else 1
        self._coarse_factors = (
            math.prod(time for time, _ in self.strides) * 2**coarse_pools,
            math.prod(mel for _, mel in self.strides),
        )
        self.reach_frames, self.coarsest_frames = _reach(
            blocks, self.strides, self.context, coarse_pools if coarse_tags else 0
        )

    def forward(self, logmel):
        """Compute the logits of the masks.

        Parameters
        ----------
        logmel : torch.Tensor [shape=(batch, time, mel)]
            Standardised per band; of any length.

        Returns
        -------
        logits : torch.Tensor [shape=(batch, n_views x n_outputs, time, mel)]
        """
        inputs = logmel.unsqueeze(1)
        skips = [self.down[0](inputs)]
        for pool, blocks in zip(self.pools, self.down[1:], strict=True):
            skips.append(blocks(pool(skips[-1])))
        maps = self.dropout(skips.pop())
        if self.context is not None:
            maps = self.context(maps)
        coarse = None if self.coarse is None else self.coarse(maps)
        for level, (reduce, up) in enumerate(zip(self.reduce, self.up, strict=True)):
            skip = skips.pop()
            far = repeated(reduce(maps), self.strides[-1 - level], skip)
            if self.gates_up is not None:
                far = far * torch.sigmoid(self.gates_up[level](skip))
            maps = up(skip + far)
        fine = self.head(maps)
        if self.gate is not None:
            fine = logit_of_both(fine, self.gate(inputs))
        if coarse is None:
            return fine
        coarse = repeated(coarse, self._coarse_factors, fine)
        return torch.cat([logit_of_both(fine, coarse), fine, coarse], dim=1)


def _reach(blocks, strides, context, coarse_pools):
    """Frames that a value depends on, and frames of the coarsest level's frame."""
    frame, reach = 1, blocks + 2
    for time, _ in strides:
        frame *= time
        # In frames of the level: the blocks down, one block up, one pool and one repeat.
        reach += (blocks + 2) * frame
    if context is not None:
        reach += context.reach_frames * frame
    for _ in range(coarse_pools):
        frame *= 2
        reach += 2 * frame
    return -(-reach // frame) * frame, frame


def _check_poolings(n_poolings, **keys):
    """Check that the poolings which keys name exist."""
    for key, poolings in keys.items():
        for pooling in poolings:
            if pooling > n_poolings:
                raise ConfigError(
                    f"config key trunk.unet.{key}: expected poolings of 1 to {n_poolings} (one "
                    f"fewer than trunk.unet.widths), found {pooling}"
                )


def _coarse_masks(n_maps, n_outputs, n_pools):
    """Poolings over time with a block after each, and a 1x1 layer to coarse masks."""
    layers = []
    for _ in range(n_pools):
        layers += [nn.MaxPool2d((2, 1), ceil_mode=True), ConvBlock(n_maps, n_maps)]
    return nn.Sequential(*layers, mask_head(n_maps, n_outputs))


def build(n_outputs, **settings):
    """Build an untrained `UnetTrunk` from its settings."""
    return UnetTrunk(n_outputs, **settings)
