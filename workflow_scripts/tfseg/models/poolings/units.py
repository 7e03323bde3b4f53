"""Shared by poolings: the units of a mask, and their weighted means."""

import torch

# Masks may be exactly zero or one in float32, so logarithms and logits are clipped here.
LEAST = 1e-7


def check_masks(masks):
    """Raise an error unless masks have [shape=(batch, class, time, mel)]."""
    if masks.ndim != 4:
        raise ValueError(f"expected masks (batch, class, time, mel), got {tuple(masks.shape)}")


def weighted_mean(units, log_weights):
    """Mean of units [shape=(batch, class, unit)] under softmax weights."""
    return (torch.softmax(log_weights, dim=-1) * units).sum(dim=-1)


def of_masks(values, units):
    """Select the learned values of the given masks: evaluation has no background mask."""
    return values[: units.shape[1], None]
