"""Segmentation mappings g1: log-mel spectrogram to one T-F mask per class (TASLP IV-A).

A trunk gives the logits of the masks; `tfseg.models.systems.MaskNetwork` takes their sigmoid.
"""

import itertools

from torch import nn
from torch.nn import functional


class ConvBlock(nn.Sequential):
    """Convolution, batch normalisation, ReLU; keeps time and mel resolution.

    Parameters
    ----------
    n_inputs, n_maps : int
    kernel_size : int
        Odd; the same over time and mel.
    dilation : (int, int)
        Steps over time and mel between what the kernel sees.
    """

    def __init__(self, n_inputs, n_maps, kernel_size=3, dilation=(1, 1)):
        convolution = nn.Conv2d(
            n_inputs,
            n_maps,
            kernel_size=kernel_size,
            padding=tuple(kernel_size // 2 * step for step in dilation),
            dilation=dilation,
            bias=False,
        )
        nn.init.kaiming_uniform_(convolution.weight, nonlinearity="relu")
        super().__init__(convolution, nn.BatchNorm2d(n_maps), nn.ReLU(inplace=True))


def _head(n_maps, n_outputs):
    """1x1 convolution to the masks' logits."""
    head = nn.Conv2d(n_maps, n_outputs, kernel_size=1)
    nn.init.kaiming_uniform_(head.weight, nonlinearity="relu")
    nn.init.zeros_(head.bias)
    return head


class VggTrunk(nn.Module):
    """The papers' trunks: a stack of `ConvBlock` without down-sampling, then 1x1 to the masks.

    Parameters
    ----------
    n_outputs : int
        Maps of the 1x1 layer: one for each class, and those that a pooling needs beside.
    widths : sequence of int
        Feature maps of each 3x3 layer (TASLP Table I: 32, 32, 64, 64, 128, 128, 128, 128).
    dropout : float in [0, 1)
        After each pair of layers (JSC: 0.3).

    Attributes
    ----------
    reach_frames : int
        Frames to either side that a mask value depends on.
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
        self.head = _head(widths[-1], n_outputs)

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


class UnetTrunk(nn.Module):
    """A U-Net: sees seconds and octaves at coarse resolution, and draws masks at the full one.

    On the way down each level has some `ConvBlock`, then max pooling by 2 over time and mel. On the way up the coarser
    level's maps are brought to the finer one's width by a 1x1 block, repeated 2 by 2, added to the
    skip (a sum costs half of the published concatenation) and put through a block.

    Source: Ronneberger, Fischer and Brox, MICCAI 2015 (arXiv 1505.04597); for masks of spectrograms
    Jansson et al., ISMIR 2017. Our choice: sums, one block a level on the way up, sizes that 2 does
    not divide (the remainder is pooled too), batch normalisation throughout.

    Parameters
    ----------
    n_outputs : int
        As in `VggTrunk`.
    widths : sequence of int
        Feature maps of each level, the finest first.
    blocks : int
        On the way down, at each level; the published network has two.
    dropout : float in [0, 1)
        On the coarsest level's maps.

    Attributes
    ----------
    reach_frames : int
        Frames to either side that a mask value may depend on: a multiple of the coarsest level's
        frame, so that a stretch that begins so much earlier is pooled as the whole is.
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
        # From the coarsest level upwards.
        pairs = list(itertools.pairwise(reversed(widths)))
        self.reduce = nn.ModuleList(
            ConvBlock(coarse, fine, kernel_size=1) for coarse, fine in pairs
        )
        self.up = nn.ModuleList(ConvBlock(fine, fine) for _, fine in pairs)
        self.head = _head(widths[0], n_outputs)
        coarsest = 2 ** (len(widths) - 1)
        # Level l counts in frames of 2**l: blocks down, one up, and what a pool and a repeat span.
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


class DilatedTrunk(nn.Module):
    """A stack of dilated blocks at full resolution: each layer sees twice as far as the one before.

    Source: Yu and Koltun, ICLR 2016 (arXiv 1511.07122). Our choice: what a block adds to is what it
    gets (He et al., CVPR 2016), so that depth costs no training; mel is dilated up to 4 only.

    Parameters
    ----------
    n_outputs : int
        As in `VggTrunk`.
    width : int
        Feature maps of every layer.
    dilations : sequence of int
        Steps over time of each 3x3 layer behind the first, which is not dilated.
    dropout : float in [0, 1)
        Before the 1x1 layer.

    Attributes
    ----------
    reach_frames : int
        Frames to either side that a mask value depends on.
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
        self.head = _head(width, n_outputs)
        self.reach_frames = 1 + sum(dilations)

    def forward(self, logmel):
        """Compute the logits of the masks; shapes as in `UnetTrunk`."""
        maps = self.first(logmel.unsqueeze(1))
        for block in self.blocks:
            maps = maps + block(maps)
        return self.head(self.dropout(maps))
