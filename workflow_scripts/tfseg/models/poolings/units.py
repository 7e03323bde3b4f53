"""What poolings share: the units of a mask, and weighted means of them."""

import torch

# Masks may be exactly zero or one in float32: logarithms and logits are taken no closer to either.
LEAST = 1e-7


def check_masks(masks):
    """Refuse what is not [shape=(batch, class, time, mel)]."""
    if masks.ndim != 4:
        raise ValueError(f"expected masks (batch, class, time, mel), got {tuple(masks.shape)}")


def weighted_mean(units, log_weights):
    """Mean of units [shape=(batch, class, unit)] under softmax weights."""
    return (torch.softmax(log_weights, dim=-1) * units).sum(dim=-1)


def of_masks(values, units):
    """Learned values of the masks that there are: a background's mask is not made when evaluated."""
    return values[: units.shape[1], None]
