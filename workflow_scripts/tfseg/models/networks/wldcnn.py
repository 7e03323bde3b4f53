"""WLD CNN baseline of TASLP 2019: a CNN on overlapping segments; the tag is their maximum.

Layers from Kumar and Raj, arXiv 1707.02530, and their code
(github.com/anuragkr90/weak_feature_extractor, ``network_architectures.py``), which has 128 mel
bands. Our choices: the number of pools for fewer bands, padding in time, no bias before batch
normalisation, initialisation, and the conversion of segment scores to frame scores.
"""

import torch
from torch import nn
from torch.nn import functional

from tfseg.models.networks.frames import hold
from tfseg.models.trunks.blocks import ConvBlock

DECLARATION = {
    "summary": "a CNN on overlapping segments; the tag is the largest segment score",
    "order": 11,
    "settings": {
        "widths": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "integer", "minimum": 1, "maximum": 1000000000},
            "default": [16, 32, 64, 128, 256, 512],
            "description": "feature maps of each stage",
        },
        "segment_maps": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1000000000,
            "default": 1024,
            "description": "feature maps of the 2x2 layer that forms the segments",
        },
    },
}


class WldCnn(nn.Module):
    """3x3 layers with 2x2 max pooling, a 2x2 layer that forms the segments, and a 1x1 output.

    The published six pools leave 2 of 128 bands, so that the 2x2 layer covers all of them. With
    fewer bands the last pools are left out, so that again 2 bands are left (64 bands: five pools),
    or 3 where n_mels is not a power of two. A segment has ``2 * stride`` frames, and the next one
    begins `stride` frames later.

    Initial weights are Kaiming uniform, and Xavier uniform in the output layer. Biases start at
    zero.

    Parameters
    ----------
    n_classes : int
    n_mels : int
        At least 2.
    widths : sequence of int
        Feature maps of each stage: two 3x3 layers and a pool; the last stage has one layer.
    segment_maps : int
        Feature maps of the 2x2 layer.

    Attributes
    ----------
    stride : int
        Frames from one segment to the next: 2 to the power of the number of pools.
    """

    def __init__(self, n_classes, n_mels, *, widths, segment_maps):
        super().__init__()
        n_pools = min(n_mels.bit_length() - 2, len(widths))
        self.stride = 2**n_pools
        layers, n_inputs = [], 1
        for stage, n_maps in enumerate(widths):
            layers.append(ConvBlock(n_inputs, n_maps))
            if stage < len(widths) - 1:
                layers.append(ConvBlock(n_maps, n_maps))
            if stage < n_pools:
                layers.append(nn.MaxPool2d(2))
            n_inputs = n_maps
        self.stages = nn.Sequential(*layers)
        segments = nn.Conv2d(widths[-1], segment_maps, kernel_size=2, bias=False)
        nn.init.kaiming_uniform_(segments.weight, nonlinearity="relu")
        self.segments = nn.Sequential(segments, nn.BatchNorm2d(segment_maps), nn.ReLU(inplace=True))
        self.output = nn.Conv2d(segment_maps, n_classes, kernel_size=1)
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def _pad(self, logmel):
        """Append zeros (each band's mean in training) until every frame lies in a segment.

        The released code pads only clips shorter than a segment, and drops the remainder of longer
        ones. At least two segments are formed: batch normalisation needs more than one value per
        map, even in a batch of one short clip.
        """
        n_segments = max(-(-logmel.shape[1] // self.stride) - 1, 2)
        missing = self.stride * (n_segments + 1) - logmel.shape[1]
        return functional.pad(logmel, (0, 0, 0, missing))

    def forward(self, logmel):
        """Compute tags and frame scores.

        Parameters
        ----------
        logmel : torch.Tensor [shape=(batch, time, mel)]
            Standardised per band; of any length.

        Returns
        -------
        tags : torch.Tensor [shape=(batch, class), in [0, 1]]
            The largest segment score.
        frames : torch.Tensor [shape=(batch, class, time), in [0, 1]]
            The score of the segment whose centre is nearest.
        """
        maps = self.segments(self.stages(self._pad(logmel).unsqueeze(1)))
        # One band is left, more where n_mels is not a power of two: (batch, class, segment).
        scores = torch.sigmoid(self.output(maps).float()).amax(dim=3)
        frames = hold(scores, logmel.shape[1], stride=self.stride, first_centre=self.stride - 0.5)
        return scores.amax(dim=2), frames


def build(n_classes, n_mels, **settings):
    """Build an untrained `WldCnn` from its settings."""
    return WldCnn(n_classes, n_mels, **settings)
