"""FrameCNN baseline of TASLP 2019: convolutions over time, with mel bands as channels.

Layers from Chou, Jang and Yang, "Learning to recognize transient sound events using attentional
supervision", IJCAI 2018 (M&mnet), and their code (github.com/fearofchou/mmnet,
``FrameCNN_1D.py``): widths, order of the layers, places of pools and dropout, two branches.

Our choices where they differ from that code:

- The ReLU before each convolution is applied. The code computes it but does not use its result.
- Attention has a softmax over time for each class. The code takes one for each of 3C maps, adds
  the maps, and takes it again, the same for all classes.
- The branches are averaged as probabilities. The code averages them before the sigmoid.
- There is no batch normalisation between the fully connected layers: it fails with a batch of one
  clip.
- Pools keep the remainder, and layers before batch normalisation have no bias.
- Initialisation, and the conversion of coarse scores to frame scores.
"""

import itertools

import torch
from torch import nn

from tfseg.models.networks.frames import hold

DECLARATION = {
    "summary": "convolutions over time, with mel bands as channels",
    "order": 12,
    "settings": {
        "width_factors": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "integer", "minimum": 1, "maximum": 1000000000},
            "default": [1, 2, 3, 3],
            "description": "channels of each layer, multiples of n_mels",
        },
        "dense_units": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1000000000,
            "default": 1024,
            "description": "units of both fully connected layers of the classification branch",
        },
        "dropout": {
            "type": "number",
            "minimum": 0,
            "exclusiveMaximum": 1,
            "default": 0.5,
            "description": "dropout before each fully connected layer and before detection",
        },
    },
}

_POOL_FRAMES = 4


def _convolution(n_inputs, n_outputs, bias=False):
    return nn.Conv1d(n_inputs, n_outputs, kernel_size=3, padding=1, bias=bias)


class FrameCnn(nn.Module):
    """Blocks of batch normalisation, ReLU and convolution; a classification and a detection branch.

    Max pooling by 4 over time lies between two blocks. With the published three blocks a coarse
    frame has 16 frames. Initial weights are Kaiming uniform, and Xavier uniform in the output
    layers; biases start at zero. Batch normalisation needs training batches of at least two clips,
    or more than one coarse frame.

    Parameters
    ----------
    n_classes, n_mels : int
    width_factors : sequence of int
        Channels of the first convolution and of each block, in multiples of `n_mels`.
    dense_units : int
        Units of both fully connected layers of the classification branch.
    dropout : float in [0, 1)
        Before each fully connected layer and before detection.

    Attributes
    ----------
    stride : int
        Frames in a coarse frame.
    """

    def __init__(self, n_classes, n_mels, *, width_factors, dense_units, dropout):
        super().__init__()
        widths = [factor * n_mels for factor in width_factors]
        layers = [nn.BatchNorm1d(n_mels), _convolution(n_mels, widths[0])]
        self.stride = 1
        for block, (n_inputs, n_outputs) in enumerate(itertools.pairwise(widths)):
            if block > 0:
                # The remainder is a coarse frame too: 311 frames become 78, then 20.
                layers += [nn.MaxPool1d(_POOL_FRAMES, ceil_mode=True)]
                self.stride *= _POOL_FRAMES
            layers += [nn.BatchNorm1d(n_inputs), nn.ReLU(inplace=True)]
            layers += [_convolution(n_inputs, n_outputs)]
        layers += [nn.BatchNorm1d(widths[-1]), nn.ReLU(inplace=True)]
        self.trunk = nn.Sequential(*layers)
        self.classification = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(widths[-1], dense_units),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(dense_units, dense_units),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(dense_units, n_classes),
        )
        self.detection = nn.Sequential(
            nn.Dropout(dropout), _convolution(widths[-1], n_classes, bias=True)
        )
        self.attention = _convolution(widths[-1], n_classes, bias=True)
        outputs = [self.classification[-1], self.detection[-1], self.attention]
        for layer in self.modules():
            if isinstance(layer, nn.Conv1d | nn.Linear):
                if any(layer is output for output in outputs):
                    nn.init.xavier_uniform_(layer.weight)
                else:
                    nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, logmel):
        """Compute tags and frame scores.

        Parameters
        ----------
        logmel : torch.Tensor [shape=(batch, time, mel)]
            Standardised per band; of any length.

        Returns
        -------
        tags : torch.Tensor [shape=(batch, class), in [0, 1]]
            Mean of the classification and of the attention-weighted detection.
        frames : torch.Tensor [shape=(batch, class, time), in [0, 1]]
            Detection, repeated over each coarse frame.
        """
        maps = self.trunk(logmel.transpose(1, 2))  # (batch, channel, coarse frame)
        classification = torch.sigmoid(self.classification(maps.mean(dim=2)).float())
        detection = torch.sigmoid(self.detection(maps).float())
        weights = torch.softmax(self.attention(maps).float(), dim=2)
        tags = (classification + (weights * detection).sum(dim=2)) / 2
        frames = hold(
            detection, logmel.shape[1], stride=self.stride, first_centre=(self.stride - 1) / 2
        )
        # Rounding may leave a weighted mean of ones slightly above one.
        return tags.clamp(0, 1), frames


def build(n_classes, n_mels, **settings):
    """Build an untrained `FrameCnn` from its settings."""
    return FrameCnn(n_classes, n_mels, **settings)
