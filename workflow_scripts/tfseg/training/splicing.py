"""Splicing: a clip of a batch continues as another clip from a random time on.

Weak labels do not say when a class sounds, but those of a spliced clip say more: before the cut
only the first clip's classes can sound, and after it only the second's. In frames where a class
cannot sound its mask must be zero. This is the only supervision in time that clip tags give.
With several cuts the clips take turns.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from tfseg.job.seeding import generator

ABSENT = "absent"


@dataclass(frozen=True)
class SpliceSettings:
    """Keys of ``training.splice`` in the config; a share of 0 changes nothing.

    Parameters
    ----------
    share : float in [0, 1]
        Share of the clips that are spliced.
    cuts : int
        Cuts in a spliced clip.
    negatives : float
        Weight of -log(1 - mask) in frames where a class cannot sound.
    agreement : float
        Weight of the cross-entropy between the masks of a spliced clip and the averaged network's
        masks of both whole clips, spliced alike: what lies beyond the cut must not change a mask.
    tags : {"absent", "union"}
        Tags of spliced clips that count. ``absent``: only those of classes in neither clip, since a
        class of one of the clips may have been cut away. ``union``: all, a class of either clip
        counts as present.
    """

    share: float
    cuts: int
    negatives: float
    agreement: float
    tags: str


class Known(NamedTuple):
    """What is known of the clips of a batch beside their tags; None: nothing.

    Attributes
    ----------
    counted : torch.Tensor [shape=(batch, class), float32, 0 or 1] or None
        Tags that count in the loss; None: all of them.
    silent : torch.Tensor [shape=(batch, class, time), float32, 0 or 1] or None
        Frames of spliced clips in which a class cannot sound.
    whole : torch.Tensor [shape=(batch, time, mel), float32] or None
        The clips before they were spliced.
    others : torch.Tensor [shape=(batch,), int64] or None
        Index of the clip that each continues as.
    own : torch.Tensor [shape=(batch, time), bool] or None
        Frames from the clip itself; all frames of a clip that is not spliced.
    """

    counted: torch.Tensor | None = None
    silent: torch.Tensor | None = None
    whole: torch.Tensor | None = None
    others: torch.Tensor | None = None
    own: torch.Tensor | None = None


def draw_cuts(settings, n_clips, n_frames, seed, iteration):
    """Draw how the clips of a batch are spliced.

    Parameters
    ----------
    settings : SpliceSettings
    n_clips, n_frames : int
    seed, iteration : int
        Determine all random values, so that a resumed training needs no generator state.

    Returns
    -------
    drawn : dict of str to np.ndarray [dtype=int64]
        ``cut`` [shape=(n_clips, cuts)], the first frame after each cut (`n_frames` where a clip
        stays whole), and ``continues_as`` [shape=(n_clips,)], the index of the other clip; empty
        without splicing.
    """
    if settings.share == 0:
        return {}
    rng = generator(seed, "splice", iteration)
    continues_as = rng.permutation(n_clips)
    cuts = rng.integers(1, max(n_frames, 2), size=(n_clips, settings.cuts))
    is_spliced = rng.random((n_clips, 1)) < settings.share
    return {"cut": np.where(is_spliced, cuts, n_frames), "continues_as": continues_as}


def splice(logmel, target, drawn, settings):
    """Splice a share of a batch's clips.

    Parameters
    ----------
    logmel : torch.Tensor [shape=(batch, time, mel), float32]
    target : torch.Tensor [shape=(batch, class), float32, 0 or 1]
    drawn : dict of str to torch.Tensor
        What `draw_cuts` drew, on the device.
    settings : SpliceSettings

    Returns
    -------
    logmel, target : torch.Tensor
        Of the same shapes; the tags of a spliced clip are those of either clip.
    known : Known
    """
    if settings.share == 0:
        return logmel, target, Known()
    n_frames, cuts, others = logmel.shape[1], drawn["cut"], drawn["continues_as"]
    frames = torch.arange(n_frames, device=logmel.device)
    own = (frames >= cuts[:, :, None]).sum(dim=1) % 2 == 0
    spliced = (cuts[:, :1] < n_frames).float()
    second = target[others]
    may_sound = torch.where(own[:, None], target[:, :, None], second[:, :, None])
    target = torch.maximum(target, spliced * second)
    known = Known(
        counted=1 - spliced * target if settings.tags == ABSENT else None,
        silent=spliced[:, :, None] * (1 - may_sound),
    )
    if settings.agreement:
        known = known._replace(whole=logmel, others=others, own=own)
    return torch.where(own[:, :, None], logmel, logmel[others]), target, known
