"""Two U-Nets: one hears far, one draws near."""

import torch
from torch import nn

from tfseg.models.trunks.blocks import logit_of_both
from tfseg.models.trunks.unet import UnetTrunk

DECLARATION = {
    "summary": "two U-Nets, one with a context of seconds and one of a few frames, multiplied",
    "order": 4,
    "settings": {
        "far_widths": {
            "type": "array",
            "minItems": 2,
            "maxItems": 8,
            "items": {"type": "integer", "minimum": 1, "maximum": 1000000000},
            "default": [16, 32, 64, 128],
            "description": "feature maps of each level of the U-Net that halves time and mel",
        },
        "near_widths": {
            "type": "array",
            "minItems": 2,
            "maxItems": 8,
            "items": {"type": "integer", "minimum": 1, "maximum": 1000000000},
            "default": [8, 16, 32],
            "description": "feature maps of each level of the U-Net that halves mel alone",
        },
        "dropout": {
            "type": "number",
            "minimum": 0,
            "exclusiveMaximum": 1,
            "default": 0.0,
            "description": "dropout on the coarsest level of both",
        },
    },
}


class NearFarTrunk(nn.Module):
    """Masks of a U-Net that reaches far, times masks of one that pools over mel alone.

    Both are views: each is pooled and trained on the tags by itself too
    (`tfseg.models.systems.MaskNetwork`). The near network sees a few frames. What it keeps next to
    a sound it would keep in clips without the sound as well, where the tags forbid it. The far
    network removes what sounds alike for a few frames only.

    Parameters
    ----------
    n_outputs : int
        As in `VggTrunk`.
    far_widths, near_widths : sequence of int
        Feature maps of each level, the finest first.
    dropout : float in [0, 1)
        On the coarsest level of both.

    Attributes
    ----------
    n_views : int
        Groups of `n_outputs` among the outputs: the masks, the near and the far masks.
    reach_frames : int
        As in `UnetTrunk`.
    """

    n_views = 3

    def __init__(self, n_outputs, *, far_widths, near_widths, dropout):
        super().__init__()
        self.far = UnetTrunk(n_outputs, widths=far_widths, blocks=1, dropout=dropout)
        self.near = UnetTrunk(
            n_outputs,
            widths=near_widths,
            blocks=1,
            dropout=dropout,
            mel_only=range(1, len(near_widths)),
        )
        frame = self.far.coarsest_frames
        reach = max(self.far.reach_frames, self.near.reach_frames)
        self.reach_frames = -(-reach // frame) * frame

    def forward(self, logmel):
        """Compute the logits of the masks; shapes as in `UnetTrunk`."""
        far, near = self.far(logmel), self.near(logmel)
        return torch.cat([logit_of_both(near, far), near.float(), far.float()], dim=1)


def build(n_outputs, **settings):
    """Build an untrained `NearFarTrunk` from its settings."""
    return NearFarTrunk(n_outputs, **settings)
