"""Blocks that several networks share."""

import torch
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
        Steps over time and mel between the kernel's inputs.
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


def _pads(maps):
    """Whether a multiple of 8 maps is faster: tensor cores take 8 bfloat16 values at once."""
    return maps.is_cuda and maps.dtype == torch.bfloat16


class MaskHead(nn.Conv2d):
    """1x1 convolution to the masks' logits.

    On a GPU it computes a multiple of 8 maps, where those beyond `n_outputs` are dropped.

    Parameters
    ----------
    n_maps, n_outputs : int
    """

    def __init__(self, n_maps, n_outputs):
        super().__init__(n_maps, n_outputs, kernel_size=1)

    def forward(self, maps):
        """Compute logits [shape=(batch, n_outputs, time, mel)]."""
        n_spare = -self.out_channels % 8
        if n_spare == 0 or not _pads(maps):
            return super().forward(maps)
        weight = functional.pad(self.weight, (0, 0, 0, 0, 0, 0, 0, n_spare))
        logits = functional.conv2d(maps, weight, functional.pad(self.bias, (0, n_spare)))
        return logits[:, : self.out_channels]


def mask_head(n_maps, n_outputs):
    """Build an untrained `MaskHead`."""
    head = MaskHead(n_maps, n_outputs)
    nn.init.kaiming_uniform_(head.weight, nonlinearity="relu")
    nn.init.zeros_(head.bias)
    return head


def logit_of_both(one, other):
    """Logit of the product of two sigmoids.

    With a and b the logits, the odds of the product are 1 / (e^-a + e^-b + e^(-a - b)), whose
    logarithm overflows nowhere.

    Parameters
    ----------
    one, other : torch.Tensor [same shape]

    Returns
    -------
    logit : torch.Tensor [same shape, dtype=float32]
    """
    one, other = -one.float(), -other.float()
    return -torch.logaddexp(torch.logaddexp(one, other), one + other)


def repeated(maps, factors, like):
    """Repeat each unit over time and mel, and cut off what is beyond a finer map.

    Parameters
    ----------
    maps : torch.Tensor [shape=(batch, map, time, mel)]
    factors : (int, int)
        Times that a unit is repeated over time and mel.
    like : torch.Tensor [shape=(..., time, mel)]
        Whose size the result gets.
    """
    factors = tuple(float(factor) for factor in factors)
    fine = functional.interpolate(maps, scale_factor=factors, mode="nearest")
    return fine[:, :, : like.shape[-2], : like.shape[-1]]


class LocalGate(nn.Sequential):
    """Two 3x3 blocks at full resolution and a 1x1 layer: logits that depend on neighbours alone.

    The last layer's bias starts at 2, so that the gate is open at first.

    Parameters
    ----------
    n_maps : int
    n_outputs : int
    """

    reach_frames = 2

    def __init__(self, n_maps, n_outputs):
        head = mask_head(n_maps, n_outputs)
        nn.init.constant_(head.bias, 2.0)
        super().__init__(ConvBlock(1, n_maps), ConvBlock(n_maps, n_maps), head)


class DilatedContext(nn.Module):
    """Residual dilated convolutions over time on the mean over mel; every band gets the result.

    Parameters
    ----------
    n_maps : int

    Attributes
    ----------
    reach_frames : int
        Frames of the input's resolution on each side.
    """

    _DILATIONS = (1, 2, 4)

    def __init__(self, n_maps):
        super().__init__()
        self.blocks = nn.ModuleList(self._block(n_maps, step) for step in self._DILATIONS)
        self.reach_frames = sum(self._DILATIONS)

    @staticmethod
    def _block(n_maps, step):
        convolution = nn.Conv2d(
            n_maps, n_maps, (3, 1), padding=(step, 0), dilation=(step, 1), bias=False
        )
        nn.init.kaiming_uniform_(convolution.weight, nonlinearity="relu")
        return nn.Sequential(convolution, nn.BatchNorm2d(n_maps), nn.ReLU(inplace=True))

    def forward(self, maps):
        """Add the context to maps [shape=(batch, map, time, mel)]."""
        context = maps.mean(dim=3, keepdim=True)
        for block in self.blocks:
            context = context + block(context)
        return maps + context


class RecurrentContext(nn.Module):
    """A GRU over time in both directions on the mean over mel; every band gets the result.

    Parameters
    ----------
    n_maps : int

    Attributes
    ----------
    reach_frames : int
        Frames of the input's resolution on each side. The GRU's memory has no end. What is further
        away is neglected where a recording is processed in pieces.
    """

    reach_frames = 128

    def __init__(self, n_maps):
        super().__init__()
        self.gru: nn.Module = nn.GRU(n_maps, -(-n_maps // 2), batch_first=True, bidirectional=True)
        self.n_maps = n_maps

    def forward(self, maps):
        """Add the context to maps [shape=(batch, map, time, mel)]."""
        sequence = maps.mean(dim=3).transpose(1, 2).float()
        # Convolutions may run in bfloat16; sums over hundreds of frames stay in float32.
        with torch.autocast(sequence.device.type, enabled=False):
            context, _ = self.gru(sequence)
        return maps + context.transpose(1, 2)[:, : self.n_maps, :, None].to(maps.dtype)


CONTEXTS = {"dilated": DilatedContext, "gru": RecurrentContext}
