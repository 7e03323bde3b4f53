"""Segmentation mappings g1: log-mel spectrogram to one T-F mask per class (TASLP IV-A).

A trunk gives the logits of the masks; `tfseg.models.systems.MaskNetwork` takes their sigmoid.
"""

from torch import nn


class ConvBlock(nn.Sequential):
    """3x3 convolution, batch normalisation, ReLU; keeps time and mel resolution."""

    def __init__(self, n_inputs, n_maps):
        convolution = nn.Conv2d(n_inputs, n_maps, kernel_size=3, padding=1, bias=False)
        nn.init.kaiming_uniform_(convolution.weight, nonlinearity="relu")
        super().__init__(convolution, nn.BatchNorm2d(n_maps), nn.ReLU(inplace=True))


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
        self.head = nn.Conv2d(widths[-1], n_outputs, kernel_size=1)
        nn.init.kaiming_uniform_(self.head.weight, nonlinearity="relu")
        nn.init.zeros_(self.head.bias)

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
