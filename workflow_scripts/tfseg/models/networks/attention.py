"""Attention baseline of TASLP 2019: gated convolutions, gated GRUs, attention over time.

Layers from Xu, Kong, Wang and Plumbley, "Large-scale weakly supervised audio classification using
gated convolutional neural network", ICASSP 2018, and their code
(github.com/yongxuUSTC/dcase2017_task4_cvssp, ``main_crnn_sed.py``).

Our choices where they differ from that code:

- The fourth stage uses both its blocks, as the others do. The code computes the second block and
  does not use it.
- Attention is computed from the GRUs' output, as the scores are. The code computes it from the
  scores.
- The GRUs are torch's, with tanh, and the gate is the sigmoid of one GRU's output. The code has
  GRUs with linear and with sigmoid activation.
- The lower bound of the attention applies in numerator and denominator, so that a tag is a weighted
  mean.
- Initialisation, and the handling of fewer mel bands than the stages halve.
"""

import torch
from torch import nn

DECLARATION = {
    "summary": "gated convolutions, gated GRUs, attention over time",
    "order": 13,
    "settings": {
        "stages": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1000000000,
            "default": 4,
            "description": "stages of two gated blocks and max pooling over mel by 2",
        },
        "gated_maps": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1000000000,
            "default": 64,
            "description": "feature maps after gating (the convolutions have twice as many)",
        },
        "output_maps": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1000000000,
            "default": 256,
            "description": "feature maps of the last convolution",
        },
        "gru_units": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1000000000,
            "default": 128,
            "description": "units per direction of each of the two GRUs",
        },
    },
}

_LEAST_ATTENTION = 1e-7  # as in the released code; keeps the sum of weights above zero


class GatedBlock(nn.Module):
    """3x3 convolution and batch normalisation; one half of the maps gates the other.

    Parameters
    ----------
    n_inputs, n_maps : int
        Feature maps of the input and of the output.
    """

    def __init__(self, n_inputs, n_maps):
        super().__init__()
        self.convolution = nn.Conv2d(n_inputs, 2 * n_maps, kernel_size=3, padding=1, bias=False)
        nn.init.xavier_uniform_(self.convolution.weight)
        self.normalisation = nn.BatchNorm2d(2 * n_maps)

    def forward(self, maps):
        """Map [shape=(batch, n_inputs, time, mel)] to [shape=(batch, n_maps, time, mel)]."""
        linear, gate = self.normalisation(self.convolution(maps)).chunk(2, dim=1)
        return linear * torch.sigmoid(gate)


def _bidirectional_gru(n_inputs, n_units):
    """Bidirectional GRU: Xavier and orthogonal weights for each gate, zero biases."""
    gru = nn.GRU(n_inputs, n_units, batch_first=True, bidirectional=True)
    with torch.no_grad():
        for name, parameter in gru.named_parameters():
            for gate in parameter.chunk(3):
                if name.startswith("weight_ih"):
                    nn.init.xavier_uniform_(gate)
                elif name.startswith("weight_hh"):
                    nn.init.orthogonal_(gate)
                else:
                    nn.init.zeros_(gate)
    return gru


class Attention(nn.Module):
    """Gated CRNN that keeps the time resolution; its tags are attention-weighted means.

    Initial weights are Xavier uniform, Kaiming uniform in the ReLU layer, and orthogonal for the
    GRUs' recurrent weights. Biases start at zero.

    Parameters
    ----------
    n_classes, n_mels : int
    stages : int
        Each has two `GatedBlock` and max pooling over mel by 2, until one band is left.
    gated_maps : int
        Feature maps of a gated block's output; its convolution has twice as many.
    output_maps : int
        Feature maps of the last convolution, which are pooled over the remaining mel bands.
    gru_units : int
        Units of each direction of each of the two GRUs.
    """

    def __init__(self, n_classes, n_mels, *, stages, gated_maps, output_maps, gru_units):
        super().__init__()
        layers, n_bands = [], n_mels
        for stage in range(stages):
            layers += [GatedBlock(gated_maps if stage else 1, gated_maps)]
            layers += [GatedBlock(gated_maps, gated_maps)]
            if n_bands > 1:
                layers += [nn.MaxPool2d((1, 2))]
                n_bands //= 2
        convolution = nn.Conv2d(gated_maps, output_maps, kernel_size=3, padding=1)
        nn.init.kaiming_uniform_(convolution.weight, nonlinearity="relu")
        nn.init.zeros_(convolution.bias)
        self.convolutions = nn.Sequential(*layers, convolution, nn.ReLU(inplace=True))
        self.gru = _bidirectional_gru(output_maps, gru_units)
        self.gru_gate = _bidirectional_gru(output_maps, gru_units)
        self.localisation = nn.Linear(2 * gru_units, n_classes)
        self.attention = nn.Linear(2 * gru_units, n_classes)
        for dense in (self.localisation, self.attention):
            nn.init.xavier_uniform_(dense.weight)
            nn.init.zeros_(dense.bias)

    def forward(self, logmel):
        """Compute tags and frame scores.

        Parameters
        ----------
        logmel : torch.Tensor [shape=(batch, time, mel)]
            Standardised per band; of any length.

        Returns
        -------
        tags : torch.Tensor [shape=(batch, class), in [0, 1]]
            Mean of the frame scores over time, weighted by attention.
        frames : torch.Tensor [shape=(batch, class, time), in [0, 1]]
        """
        maps = self.convolutions(logmel.unsqueeze(1))  # (batch, map, time, band)
        sequence = maps.amax(dim=3).transpose(1, 2).float().contiguous()
        # Convolutions may run in bfloat16; sums over hundreds of frames stay in float32.
        with torch.autocast(sequence.device.type, enabled=False):
            gated = self.gru(sequence)[0] * torch.sigmoid(self.gru_gate(sequence)[0])
            frames = torch.sigmoid(self.localisation(gated))  # (batch, time, class)
            # The softmax is over classes: they compete for each frame, not frames for each class.
            weights = torch.softmax(self.attention(gated), dim=2).clamp(min=_LEAST_ATTENTION)
        tags = (frames * weights).sum(dim=1) / weights.sum(dim=1)
        # Rounding may leave a weighted mean of ones slightly above one.
        return tags.clamp(0, 1), frames.transpose(1, 2)


def build(n_classes, n_mels, **settings):
    """Build an untrained `Attention` from its settings."""
    return Attention(n_classes, n_mels, **settings)
