"""Pooling over mel first, and over time then."""

import torch
from torch import nn

from tfseg.models.poolings.units import LEAST, check_masks

DECLARATION = {
    "summary": "pooled over mel to frame scores, and these over time",
    "order": 11,
    "settings": {
        "mel": {
            "enum": ["max", "linear_softmax", "mean"],
            "default": "linear_softmax",
            "description": "pooling over mel",
        },
        "time": {
            "enum": ["linear_softmax", "attention", "max"],
            "default": "linear_softmax",
            "description": "pooling over time; attention: by a second, learned map of each class",
        },
    },
}


def _linear_softmax(values, dim):
    return values.square().sum(dim=dim) / values.sum(dim=dim).clamp(min=LEAST)


_POOLED = {
    "max": lambda values, dim: values.amax(dim=dim),
    "mean": lambda values, dim: values.mean(dim=dim),
    "linear_softmax": _linear_softmax,
}


class MelTimePooling(nn.Module):
    """Pooling over mel to one value per frame, then over time.

    Pooled in one go, a sound of few bands counts as much as one of many, but so does its length. In
    two steps each direction has its own rule: a narrow sound may fill its frames (max over mel)
    while a short sound need not fill the clip (linear softmax over time; Wang, Li and Metze, ICASSP
    2019). With attention over time, the weights are the softmax over frames of a second map of each
    class, averaged over mel (after Kong, Xu, Wang and Plumbley, ICASSP 2018).

    Parameters
    ----------
    mel : {"max", "linear_softmax", "mean"}
    time : {"linear_softmax", "attention", "max"}
    """

    def __init__(self, *, mel, time):
        super().__init__()
        self.mel, self.time = mel, time
        self.needs_attention = time == "attention"

    def forward(self, masks, logits=None, *, attention=None):
        """Pool masks [shape=(batch, class, time, mel)] to tags [shape=(batch, class)].

        `attention` are logits of the shape of the masks, where `needs_attention` is set.
        """
        check_masks(masks)
        frames = _POOLED[self.mel](masks, dim=3)
        if not self.needs_attention:
            return _POOLED[self.time](frames, dim=2)
        weights = torch.softmax(attention.float().mean(dim=3), dim=2)
        return (weights * frames).sum(dim=2)


def build(n_masks, *, mel, time):
    """Build `MelTimePooling` from its settings."""
    return MelTimePooling(mel=mel, time=time)
