"""Splicing: a clip of a batch continues as another clip from a random time on.

Weak labels do not say when a class sounds, but those of a spliced clip say more: before the cut
only the first clip's classes can sound, and after it only the second's. In frames where a class
cannot sound its mask must be zero. This is the only supervision in time that clip tags give.
With several cuts the clips take turns. A share of them is added instead of cut.

What the averaged network hears in two whole clips says what is to be heard in the joined one: the
same masks in the frames of either, and where both are added, their masks weighed by magnitude.
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
        Share of the clips that are joined with another clip.
    added : float in [0, 1]
        Share of these that are added (magnitudes are summed) instead of cut.
    cuts : int
        Cuts in a clip that is cut.
    negatives : float
        Weight of -log(1 - mask) in frames where a class cannot sound.
    agreement : float
        Weight of the cross-entropy between the masks of a joined clip and the averaged network's
        masks of both whole clips, joined alike.
    ramp : int
        Iterations in which the weight of the agreement rises from zero: at first the averaged
        network hears nothing that could be taught (after Tarvainen and Valpola, NeurIPS 2017).
    tags : {"absent", "union"}
        Tags of clips with cuts that count. ``absent``: only those of classes in neither clip, since
        a class of one of the clips may have been cut away. ``union``: all, a class of either clip
        counts as present. All tags of added clips count.
    """

    share: float
    added: float
    cuts: int
    negatives: float
    agreement: float
    ramp: int
    tags: str


class Pairs(NamedTuple):
    """The clips that joined clips were made of.

    Attributes
    ----------
    logmel : torch.Tensor [shape=(batch, time, mel), float32]
        The clips before they were joined.
    target : torch.Tensor [shape=(batch, class), float32, 0 or 1]
        Their tags.
    others : torch.Tensor [shape=(batch,), int64]
        Index of the clip that each is joined with.
    own : torch.Tensor [shape=(batch, time, mel or 1), float32, in [0, 1]]
        Share of the magnitude that is a clip's own, not the other's.
    joined : torch.Tensor [shape=(batch,), float32, 0 or 1]
        Clips that are joined.
    """

    logmel: torch.Tensor
    target: torch.Tensor
    others: torch.Tensor
    own: torch.Tensor
    joined: torch.Tensor


class Known(NamedTuple):
    """What is known of the clips of a batch beside their tags; None: nothing.

    Attributes
    ----------
    counted : torch.Tensor [shape=(batch, class), float32, 0 or 1] or None
        Tags that count in the loss; None: all of them.
    silent : torch.Tensor [shape=(batch, class, time), float32, 0 or 1] or None
        Frames of joined clips in which a class cannot sound.
    pairs : Pairs or None
        Where the averaged network's masks of them are needed.
    """

    counted: torch.Tensor | None = None
    silent: torch.Tensor | None = None
    pairs: Pairs | None = None


def draw_cuts(settings, n_clips, n_frames, seed, iteration):
    """Draw how the clips of a batch are joined.

    Parameters
    ----------
    settings : SpliceSettings
    n_clips, n_frames : int
    seed, iteration : int
        Determine all random values, so that a resumed training needs no generator state.

    Returns
    -------
    drawn : dict of str to np.ndarray
        ``cut`` [shape=(n_clips, cuts), int64], the first frame after each cut (`n_frames` where a
        clip stays whole), ``added`` [shape=(n_clips,), bool], and ``continues_as`` [shape=
        (n_clips,), int64], the index of the other clip; empty without splicing.
    """
    if settings.share == 0:
        return {}
    rng = generator(seed, "splice", iteration)
    continues_as = rng.permutation(n_clips)
    cuts = rng.integers(1, max(n_frames, 2), size=(n_clips, settings.cuts))
    is_joined = rng.random((n_clips, 1)) < settings.share
    return {
        "cut": np.where(is_joined, cuts, n_frames),
        "added": rng.random(n_clips) < settings.added,
        "continues_as": continues_as,
    }


def splice(logmel, target, drawn, settings):
    """Join a share of a batch's clips with another clip of the batch.

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
        Of the same shapes; the tags of a joined clip are those of either clip.
    known : Known
    """
    if settings.share == 0:
        return logmel, target, Known()
    n_frames, cuts, others = logmel.shape[1], drawn["cut"], drawn["continues_as"]
    joined = cuts[:, :1] < n_frames
    added = joined & drawn["added"][:, None]
    frames = torch.arange(n_frames, device=logmel.device)
    own = (frames >= cuts[:, :, None]).sum(dim=1) % 2 == 0
    other, second = logmel[others], target[others]
    both = torch.maximum(target, second)
    may_sound = torch.where(own[:, None], target[:, :, None], second[:, :, None])
    may_sound = torch.where(added[:, :, None], both[:, :, None], may_sound)
    tags = torch.where(joined, both, target)
    is_cut = (joined & ~added).float()
    known = Known(
        counted=1 - is_cut * tags if settings.tags == ABSENT else None,
        silent=joined.float()[:, :, None] * (1 - may_sound),
    )
    result, share = torch.where(own[..., None], logmel, other), own.float()[..., None]
    if settings.added:
        result = torch.where(added[..., None], torch.logaddexp(logmel, other), result)
        share = torch.where(added[..., None], torch.sigmoid(logmel - other), share)
    if settings.agreement:
        known = known._replace(pairs=Pairs(logmel, target, others, share, joined.float()[:, 0]))
    return result, tags, known
