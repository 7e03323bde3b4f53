"""Further terms of the loss on masks; each has a weight in the config, and 0 leaves it out.

Every term is a mean, so that its weight does not depend on the sizes of batch and spectrogram. None
of them reads a value back from the device.
"""

import copy
import math
from dataclasses import dataclass, fields

import torch
from torch.nn import functional

_CERTAIN = 1 - 1e-7  # a mask of exactly one would cost infinitely much
_FLOOR = 1e-3  # -60 dB: what a mask of zero leaves of a magnitude


@dataclass(frozen=True)
class TermSettings:
    """Keys of ``training.terms`` in the config: weights of the terms.

    Parameters
    ----------
    absent : float
        Of `absence` in clips whose tag is zero.
    size : float
        Of `size`.
    overlap : float
        Of `overlap`.
    consistency : float
        Of `inconsistency`.
    reclassified : float
        Of `reclassification`, by the averaged network.
    reclassified_share : float in (0, 1]
        Share of a batch's clips that are classified again; not a weight.
    """

    absent: float
    size: float
    overlap: float
    consistency: float
    reclassified: float
    reclassified_share: float

    @property
    def used(self):
        """Names of the terms whose weight is not zero."""
        weights = [field.name for field in fields(self) if field.name != "reclassified_share"]
        return [name for name in weights if getattr(self, name)]


def _mean_where(values, weight):
    """Mean of the values with weight 1; zero where there is none."""
    return (values * weight).sum() / weight.sum().clamp(min=1)


def absence(masks):
    """Cost -log(1 - mask) of a class in units where it does not sound [shape of `masks`]."""
    return -torch.log1p(-masks.clamp(max=_CERTAIN))


def absent(masks, target):
    """Mean `absence` over the units of classes whose tag is zero.

    The tag of a clip gives this cost only to the units that its pooling weighs most.

    Parameters
    ----------
    masks : torch.Tensor [shape=(batch, class, time, mel), in [0, 1]]
    target : torch.Tensor [shape=(batch, class), 0 or 1]
    """
    return _mean_where(absence(masks).mean(dim=(2, 3)), 1 - target)


def silent(masks, frames):
    """Mean `absence` over the units of frames where a class cannot sound.

    Parameters
    ----------
    masks : torch.Tensor [shape=(batch, class, time, mel), in [0, 1]]
    frames : torch.Tensor [shape=(batch, class, time), 0 or 1]
        As `tfseg.training.splicing.Known` has them.
    """
    return _mean_where(absence(masks).mean(dim=3), frames)


def agreement(masks, whole_masks, pairs):
    """Cross-entropy between masks of joined clips and the masks of both clips, joined alike.

    The wanted mask of a class is the share of the joined magnitude that the masks of both clips
    keep. Where the tag of a class is zero, zero takes the place of its mask. The result is the mean
    over the joined clips, classes and units.

    Parameters
    ----------
    masks : torch.Tensor [shape=(batch, class, time, mel), in [0, 1]]
        Of the joined clips.
    whole_masks : torch.Tensor [same shape]
        Of the clips before they were joined, by another network.
    pairs : tfseg.training.splicing.Pairs
    """
    heard = whole_masks * pairs.target[:, :, None, None]
    own = pairs.own[:, None]
    wanted = own * heard + (1 - own) * heard[pairs.others]
    cost = functional.binary_cross_entropy(masks.nan_to_num(0.5), wanted, reduction="none")
    return _mean_where(cost.mean(dim=(1, 2, 3)), pairs.joined) + 0 * masks.sum()


def size(masks, target):
    """Mean area of the masks of classes whose tag is one: area costs something.

    Parameters
    ----------
    masks : torch.Tensor [shape=(batch, class, time, mel), in [0, 1]]
    target : torch.Tensor [shape=(batch, class), 0 or 1]
    """
    return _mean_where(masks.mean(dim=(2, 3)), target)


def overlap(masks):
    """Sum over pairs of classes of the product of their masks, mean over clips and units.

    Parameters
    ----------
    masks : torch.Tensor [shape=(batch, class, time, mel), in [0, 1]]
        Of the classes, without the background.
    """
    return (masks.sum(dim=1).square() - masks.square().sum(dim=1)).mean() / 2


def inconsistency(masks, logmel, has_background=False):
    """Share of the mixture's magnitude by which the separated sounds differ from it in sum.

    |mixture - sum of separated sounds| / mixture, summed over the units of a clip, mean over clips
    (mixture consistency: Wisdom et al., ICASSP 2019, there on waveforms). Without a background mask
    of the network, the background is what the classes leave: then only masks that take more than
    there is cost something.

    Parameters
    ----------
    masks : torch.Tensor [shape=(batch, class, time, mel), in [0, 1]]
        The background's follows those of the classes, where there is one.
    logmel : torch.Tensor [shape=(batch, time, mel)]
        Natural logarithms of magnitudes.
    has_background : bool
    """
    total = masks.sum(dim=1)
    if not has_background:
        total = total + (1 - total).clamp(min=0)
    magnitude = logmel.exp()
    excess = ((total - 1).abs() * magnitude).sum(dim=(1, 2))
    return (excess / magnitude.sum(dim=(1, 2))).mean()


def kept(logmel, mask):
    """Log-mel of what a mask keeps; a mask of zero leaves -60 dB.

    Parameters
    ----------
    logmel, mask : torch.Tensor [shape=(batch, time, mel)]
    """
    return logmel + torch.log(_FLOOR + (1 - _FLOOR) * mask)


def reclassification(masks, logmel, target, turn, classify):
    """Cost of a class that is not heard in what its mask keeps, or heard in what it leaves.

    One of the classes in each clip has its turn. The cost is -log of its tag in what the mask
    keeps, and -log of one minus its tag in what the mask leaves, mean over the clips with a class.
    (Pishdadian et al., IEEE/ACM TASLP 2020, train separation by a classifier of this kind; Paissan
    et al., ICML 2024, train masks that explain a classifier.)

    Parameters
    ----------
    masks : torch.Tensor [shape=(batch, class, time, mel), in [0, 1]]
    logmel : torch.Tensor [shape=(batch, time, mel)]
    target : torch.Tensor [shape=(batch, class), 0 or 1]
    turn : torch.Tensor [shape=(), dtype=int64]
        Grows from batch to batch, and passes the turn on to the next class.
    classify : callable
        From log-mel to tags [shape=(batch, class), in [0, 1]].
    """
    n_clips, n_classes = target.shape
    clips = torch.arange(n_clips, device=masks.device)
    classes = torch.arange(n_classes, device=masks.device)
    # Neighbouring clips of a batch begin with different classes.
    order = (classes[None] + clips[:, None] + turn) % n_classes + 1
    first, chosen = (order * target).max(dim=1)
    mask = masks[clips, chosen]
    parts = torch.cat([kept(logmel, mask), kept(logmel, 1 - mask)])
    inside, outside = classify(parts).gather(1, chosen.repeat(2)[:, None])[:, 0].chunk(2)
    return _mean_where(absence(1 - inside) + absence(outside), (first > 0).float())


def frozen_copy(network, tensors):
    """Copy a network, in evaluation mode, whose weights are the given tensors themselves.

    The copy follows later changes of the tensors; its weights get no gradients.

    Parameters
    ----------
    network : nn.Module
    tensors : dict of str to torch.Tensor
        By the names of the network's state; others are copied.
    """
    frozen = copy.deepcopy(network)
    frozen.load_state_dict(network.state_dict() | tensors, assign=True)
    return frozen.requires_grad_(False).eval()


def weighted(masks, logmel, target, settings, *, turn, averaged=None, has_background=False):
    """Add up the terms, each with its weight.

    Parameters
    ----------
    masks : torch.Tensor [shape=(batch, class, time, mel), in [0, 1]]
    logmel : torch.Tensor [shape=(batch, time, mel)]
    target : torch.Tensor [shape=(batch, class), 0 or 1]
    settings : TermSettings
    turn : torch.Tensor [shape=(), dtype=int64]
        As `reclassification` takes it.
    averaged : MaskNetwork or None
        The averaged network (`frozen_copy`); needed for `reclassification`.
    has_background : bool
        Whether the last class of `masks` and `target` is the background. It has no part in `size`,
        `overlap` and `reclassification`.

    Returns
    -------
    loss : torch.Tensor [shape=()]
    """
    n_classes = masks.shape[1] - has_background
    of_classes, tags = masks[:, :n_classes], target[:, :n_classes]
    n_again = math.ceil(settings.reclassified_share * len(masks))
    costs = {
        "absent": lambda: absent(masks, target),
        "size": lambda: size(of_classes, tags),
        "overlap": lambda: overlap(of_classes),
        "consistency": lambda: inconsistency(masks, logmel, has_background),
        # The clips of a batch come in random order.
        "reclassified": lambda: reclassification(
            of_classes[:n_again],
            logmel[:n_again],
            tags[:n_again],
            turn,
            lambda parts: averaged(parts)[0],
        ),
    }
    return sum(getattr(settings, name) * costs[name]() for name in settings.used)
