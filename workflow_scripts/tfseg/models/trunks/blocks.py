"""Blocks that several networks share."""

from torch import nn


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


def mask_head(n_maps, n_outputs):
    """1x1 convolution to the masks' logits."""
    head = nn.Conv2d(n_maps, n_outputs, kernel_size=1)
    nn.init.kaiming_uniform_(head.weight, nonlinearity="relu")
    nn.init.zeros_(head.bias)
    return head
