"""Attention pooling over T-F units."""

import torch
from torch import nn

from tfseg.models.poolings.units import LEAST, check_masks

DECLARATION = {
    "summary": "units weighted by a second, learned map of each class",
    "order": 8,
    "settings": {},
}


class AttentionPooling(nn.Module):
    """Units weighted by a second map of each class: sum s h / sum s, with s the map's sigmoid.

    Source: attention of Kong, Xu, Wang and Plumbley, ICASSP 2018 (arXiv 1711.00927), here over T-F
    units. The trunk has one more output map for each mask. A constant map gives GAP. Both mask and
    map learn where a sound is; only the mask is scored.
    """

    needs_attention = True

    def forward(self, masks, logits=None, *, attention):
        """Pool masks and attention logits [shape=(batch, class, time, mel)] to tags."""
        check_masks(masks)
        weights = torch.sigmoid(attention.flatten(2).float()).clamp(min=LEAST)
        return (weights * masks.flatten(2)).sum(dim=-1) / weights.sum(dim=-1)


def build(n_masks):
    """Build `AttentionPooling` from its settings."""
    return AttentionPooling()
