"""Attention pooling over T-F units."""

import torch
from torch import nn

from tfseg.models.poolings.units import LEAST, check_masks

DECLARATION = {
    "summary": "a second map of each class says which units count",
    "order": 8,
    "settings": {},
}


class AttentionPooling(nn.Module):
    """A second map of each class says which units count: sum s h / sum s, s the map's sigmoid.

    Source: attention of Kong, Xu, Wang and Plumbley, ICASSP 2018 (arXiv 1711.00927), over T-F units.
    The trunk gives one more map for each mask. A constant map is GAP. Where a sound is, is shared
    between mask and map: of the two only the mask is scored.
    """

    needs_attention = True

    def forward(self, masks, logits=None, *, attention):
        """Pool masks and attention logits [shape=(batch, class, time, mel)] to tags."""
        check_masks(masks)
        weights = torch.sigmoid(attention.flatten(2).float()).clamp(min=LEAST)
        return (weights * masks.flatten(2)).sum(dim=-1) / weights.sum(dim=-1)


def build(n_masks):
    """Build `AttentionPooling`; settings as there."""
    return AttentionPooling()
