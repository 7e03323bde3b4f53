"""Log-sum-exp pooling."""

import math

import torch
from torch import nn

from tfseg.models.poolings.units import LEAST, check_masks

DECLARATION = {
    "summary": "smooth maximum of the logits: sigmoid of log(mean exp(s a)) / s",
    "order": 7,
    "settings": {
        "sharpness": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 1000,
            "default": 5.0,
            "description": "s of the smooth maximum (not learned)",
        },
    },
}


class LogSumExpPooling(nn.Module):
    """Smooth maximum of the logits: sigmoid of log(mean exp(s a)) / s.

    Source: Pinheiro and Collobert, CVPR 2015 (arXiv 1411.6228). s to 0 is the mean of the logits; s
    to infinity is GMP.

    Parameters
    ----------
    sharpness : float > 0
        s of the smooth maximum.
    """

    def __init__(self, *, sharpness):
        super().__init__()
        self.sharpness = float(sharpness)

    def forward(self, masks, logits=None):
        """Pool masks [shape=(batch, class, time, mel)] to tags [shape=(batch, class)]."""
        check_masks(masks)
        scores = torch.logit(masks, eps=LEAST) if logits is None else logits.float()
        scores = scores.flatten(2)
        total = torch.logsumexp(self.sharpness * scores, dim=-1) - math.log(scores.shape[-1])
        return torch.sigmoid(total / self.sharpness)


def build(n_masks, *, sharpness):
    """Build `LogSumExpPooling` from its settings."""
    return LogSumExpPooling(sharpness=sharpness)
