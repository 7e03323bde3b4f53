"""2APAE: two steps of attention pooling, and an autoencoder as a second task.

Source: Deshmukh, Raj and Singh, "Multi-Task Learning for Interpretable Weakly Labelled Sound Event
Detection", 2020 (arXiv 2008.07085), and "Improving weakly supervised sound event detection with
self-supervised auxiliary tasks", Interspeech 2021 (arXiv 2106.06858). Written from the papers.

Our choices:

- One 3x3 block for each width, on the way to the shared maps and back to the spectrogram.
- Attention over time is computed from the scores of a frame alone. The papers have a linear layer
  over all frames, which fixes the clip's length.
- What is rebuilt is the standardised log-mel.
"""

import itertools

import torch
from torch import nn
from torch.nn import functional

from tfseg.models.trunks.blocks import ConvBlock, mask_head

DECLARATION = {
    "summary": "2APAE: attention over mel, then over time; rebuilds its input (Deshmukh et al. 2020)",
    "order": 14,
    "settings": {
        "widths": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "integer", "minimum": 1, "maximum": 1000000000},
            "default": [32, 64, 128, 256],
            "description": "feature maps of each 3x3 layer; in reverse on the way back",
        },
        "rebuilding_weight": {
            "type": "number",
            "minimum": 0,
            "maximum": 1000,
            "default": 0.001,
            "description": "weight of the squared error of the rebuilt log-mel",
        },
    },
}


class TwoStepAttention(nn.Module):
    """Shared maps; attention over mel and then over time; a decoder that rebuilds the input.

    Parameters
    ----------
    n_classes : int
    widths : sequence of int
        Feature maps of each 3x3 layer.
    rebuilding_weight : float
        Of the decoder's mean squared error in the loss.
    """

    def __init__(self, n_classes, *, widths, rebuilding_weight):
        super().__init__()
        self.rebuilding_weight = rebuilding_weight
        self.encoder = nn.Sequential(
            *(ConvBlock(a, b) for a, b in itertools.pairwise([1, *widths]))
        )
        self.decoder = nn.Sequential(
            *(ConvBlock(a, b) for a, b in itertools.pairwise(reversed(widths))),
            nn.Conv2d(widths[0], 1, kernel_size=3, padding=1),
        )
        self.units = mask_head(widths[-1], n_classes)
        self.over_mel = nn.Conv2d(widths[-1], n_classes, kernel_size=1)
        self.over_time = nn.Conv1d(n_classes, n_classes, kernel_size=1)
        self._own_loss = None

    def forward(self, logmel):
        """Compute tags and frame scores.

        Parameters
        ----------
        logmel : torch.Tensor [shape=(batch, time, mel)]
            Standardised per band; of any length.

        Returns
        -------
        tags : torch.Tensor [shape=(batch, class), in [0, 1]]
            Mean of the frame scores under attention over time.
        frames : torch.Tensor [shape=(batch, class, time), in [0, 1]]
            Mean of a frame's units under attention over mel.
        """
        maps = self.encoder(logmel.unsqueeze(1))
        units = torch.sigmoid(self.units(maps).float())
        frames = (torch.softmax(self.over_mel(maps).float(), dim=3) * units).sum(dim=3)
        tags = (torch.softmax(self.over_time(frames).float(), dim=2) * frames).sum(dim=2)
        if self.training:
            rebuilt = self.decoder(maps).squeeze(1).float()
            self._own_loss = self.rebuilding_weight * functional.mse_loss(rebuilt, logmel)
        return tags, frames

    def own_loss(self, target, counted=None):
        """Weighted squared error of the last batch's rebuilt log-mel; no tags are used."""
        return self._own_loss


def build(n_classes, n_mels, **settings):
    """Build an untrained `TwoStepAttention` from its settings."""
    return TwoStepAttention(n_classes, **settings)
