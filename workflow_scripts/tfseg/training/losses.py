"""The losses of a training; `total` is the one place where they are added up."""

import torch
from torch.nn import functional

from tfseg.training import terms
from tfseg.training.splicing import Known


def cross_entropy(tags, target, counted=None):
    """Full binary cross-entropy, mean over clips and classes; NaN for tags that are NaN.

    For a NaN, torch's own function raises an error inside a kernel, which ends the process on a
    GPU. The added zero carries the NaN to the loss instead, where it is reported.

    Parameters
    ----------
    tags : torch.Tensor [shape=(batch, class), in [0, 1]]
    target : torch.Tensor [same shape, 0 or 1]
    counted : torch.Tensor [same shape, 0 or 1] or None
        Tags that the mean is taken over; None: all.
    """
    finite = tags.nan_to_num(0.5)
    if counted is None:
        return functional.binary_cross_entropy(finite, target) + 0 * tags.sum()
    # Not with the function's own weight, for which torch loads its compiler: seconds of each job.
    costs = functional.binary_cross_entropy(finite, target, reduction="none")
    return (costs * counted).sum() / counted.sum().clamp(min=1) + 0 * tags.sum()


def distillation(masks, teacher_masks, target):
    """Cross-entropy between masks and a teacher's masks, gated by the clips' tags.

    Where the tag of a class is zero, the teacher's mask is replaced by zero. The result is the mean
    over clips, classes and units.

    Parameters
    ----------
    masks, teacher_masks : torch.Tensor [shape=(batch, class, time, mel), in [0, 1]]
    target : torch.Tensor [shape=(batch, class), 0 or 1]
    """
    wanted = teacher_masks * target[:, :, None, None]
    return functional.binary_cross_entropy(masks.nan_to_num(0.5), wanted) + 0 * masks.sum()


def total(
    tags,
    masks,
    batch,
    wanted,
    settings,
    *,
    teacher,
    iteration,
    known=Known(),  # noqa: B008  (immutable)
    averaged=None,
    has_background=False,
    own=0,
):
    """Add up all losses of one step.

    It is part of the step, which may be replayed as a CUDA graph. So it never asks the device for
    a value, and what changes from step to step comes in tensors.

    Parameters
    ----------
    tags : torch.Tensor [shape=(batch, class), in [0, 1]]
    masks : torch.Tensor [shape=(batch, class, time, mel) or (batch, class, time), in [0, 1]]
        What the network made of `batch`.
    batch : torch.Tensor [shape=(batch, time, mel), float32]
        Log-mel, augmented.
    wanted : torch.Tensor [shape=(batch, class), float32, 0 or 1]
        Weak labels.
    settings : tfseg.training.settings.TrainingSettings
    teacher : tfseg.models.systems.MaskNetwork or None
        In evaluation mode; adds `distillation` from its masks.
    iteration : torch.Tensor [shape=(), dtype=int64]
        From 0, on the device.
    known : tfseg.training.splicing.Known
        What splicing says of the clips beside their tags.
    averaged : tfseg.models.systems.MaskNetwork or None
        `tfseg.training.terms.frozen_copy`; for `agreement` and `reclassification` there.
    has_background : bool
        Whether the last mask and tag are the background's.
    own : torch.Tensor [shape=()] or 0
        What the network adds by itself: `tfseg.models.systems.MaskNetwork.own_loss`.

    Returns
    -------
    loss : torch.Tensor [shape=()]
    """
    loss = cross_entropy(tags, wanted, known.counted) + own
    if known.silent is not None and settings.splice.negatives:
        loss = loss + settings.splice.negatives * terms.silent(masks, known.silent)
    if known.pairs is not None:
        with torch.no_grad():
            _, whole_masks = averaged(known.pairs.logmel)
        n_taught = whole_masks.shape[1]  # without the background
        of_classes = known.pairs._replace(target=known.pairs.target[:, :n_taught])
        weight = settings.splice.agreement * ((iteration + 1) / (settings.splice.ramp + 1)).clamp(
            max=1
        )
        loss = loss + weight * terms.agreement(masks[:, :n_taught], whole_masks, of_classes)
    if settings.terms.used:
        loss = loss + terms.weighted(
            masks,
            batch,
            wanted,
            settings.terms,
            turn=iteration,
            averaged=averaged,
            has_background=has_background,
        )
    if teacher is not None:
        with torch.no_grad():
            _, teacher_masks = teacher(batch)
        n_taught = teacher_masks.shape[1]  # the teacher's masks have no background
        loss = loss + settings.teacher_weight * distillation(
            masks[:, :n_taught], teacher_masks, wanted[:, :n_taught]
        )
    return loss
