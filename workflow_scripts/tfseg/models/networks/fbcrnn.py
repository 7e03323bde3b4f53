"""FBCRNN: a recurrent tagger that reads forward, and one that reads backward.

Source: Ebbers and Haeb-Umbach, "Forward-backward convolutional recurrent neural networks and
tag-conditioned convolutional neural networks for weakly labeled semi-supervised sound event
detection", DCASE Workshop 2020 (arXiv 2103.06581). Written from the paper.

At each frame the forward tagger has heard all before it, and the backward one all after it. One of
both has heard an event of the clip, so that the larger of their scores is trained on the tags in
each frame. A frame between the onset and the offset is one where both have heard it.

Our choices: sizes of the layers; the smaller of both scores as the frame score, where the paper
applies the taggers to short windows; no second network.
"""

import itertools

import torch
from torch import nn

from tfseg.models.own_losses import counted_cross_entropy
from tfseg.models.trunks.blocks import ConvBlock

DECLARATION = {
    "summary": "FBCRNN: taggers that read forward and backward (Ebbers, Haeb-Umbach 2020)",
    "order": 15,
    "settings": {
        "widths": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "integer", "minimum": 1, "maximum": 1000000000},
            "default": [16, 32, 64, 128],
            "description": "feature maps of each 3x3 layer; mel is halved after each",
        },
        "gru_units": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1000000000,
            "default": 128,
            "description": "units of each of the two GRUs",
        },
        "dropout": {
            "type": "number",
            "minimum": 0,
            "exclusiveMaximum": 1,
            "default": 0.2,
            "description": "dropout before the GRUs",
        },
    },
}


class ForwardBackward(nn.Module):
    """Convolutions that halve mel, and two GRUs with a classifier each.

    Parameters
    ----------
    n_classes, n_mels : int
    widths : sequence of int
        Feature maps of each 3x3 layer; max pooling over mel by 2 after each, until one is left.
    gru_units : int
    dropout : float in [0, 1)
    """

    def __init__(self, n_classes, n_mels, *, widths, gru_units, dropout):
        super().__init__()
        layers, n_bands = [], n_mels
        for n_inputs, n_maps in itertools.pairwise([1, *widths]):
            layers.append(ConvBlock(n_inputs, n_maps))
            if n_bands > 1:
                layers.append(nn.MaxPool2d((1, 2)))
                n_bands //= 2
        self.convolutions = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        n_features = widths[-1] * n_bands
        self.forward_gru = nn.GRU(n_features, gru_units, batch_first=True)
        self.backward_gru = nn.GRU(n_features, gru_units, batch_first=True)
        self.forward_output = nn.Linear(gru_units, n_classes)
        self.backward_output = nn.Linear(gru_units, n_classes)
        self._either = None

    def forward(self, logmel):
        """Compute tags and frame scores.

        Parameters
        ----------
        logmel : torch.Tensor [shape=(batch, time, mel)]
            Standardised per band; of any length.

        Returns
        -------
        tags : torch.Tensor [shape=(batch, class), in [0, 1]]
            Mean of both scores where the tagger has heard the whole clip.
        frames : torch.Tensor [shape=(batch, class, time), in [0, 1]]
            The smaller of both scores.
        """
        maps = self.convolutions(logmel.unsqueeze(1))  # (batch, map, time, band)
        sequence = self.dropout(maps.transpose(1, 2).flatten(2).float())
        # Convolutions may run in bfloat16; sums over hundreds of frames stay in float32.
        with torch.autocast(sequence.device.type, enabled=False):
            onward = torch.sigmoid(self.forward_output(self.forward_gru(sequence)[0]))
            heard, _ = self.backward_gru(sequence.flip(1))
            backward = torch.sigmoid(self.backward_output(heard)).flip(1)
        if self.training:
            self._either = torch.maximum(onward, backward)
        tags = (onward[:, -1] + backward[:, 0]) / 2
        return tags, torch.minimum(onward, backward).transpose(1, 2)

    def own_loss(self, target, counted=None):
        """Cross-entropy between the tags and the larger score of each frame of the last batch.

        Parameters as in `tfseg.models.systems.MaskNetwork.own_loss`.
        """
        of_frames = [
            None if tags is None else tags[:, None].expand_as(self._either)
            for tags in (target, counted)
        ]
        return counted_cross_entropy(self._either, *of_frames)


def build(n_classes, n_mels, **settings):
    """Build an untrained `ForwardBackward` from its settings."""
    return ForwardBackward(n_classes, n_mels, **settings)
