"""Masks of the classes found, before they separate: a floor per band, and competition."""

import numpy as np

LEAST = 1e-6  # of a sum of masks, which may all be zero


def above_floor(masks, floor):
    """Subtract the floor of each band: the quantile of its values over time.

    A mask that is never quite closed in a band lets that band's background through.

    Parameters
    ----------
    masks : np.ndarray [shape=(n_classes, n_frames, n_mels), in [0, 1]]
    floor : float in [0, 1)
        Share of a band's frames at or below its floor; 0 subtracts nothing.

    Returns
    -------
    masks : np.ndarray [same shape, in [0, 1]]
        Values of one stay one.
    """
    if floor == 0:
        return masks
    lowest = np.quantile(masks, floor, axis=1, keepdims=True).astype(masks.dtype)
    return np.maximum(masks - lowest, 0) / np.maximum(1 - lowest, LEAST)


def competing(masks, competition):
    """Let the classes found share each unit: M_k^(p + 1) / sum over j of M_j^p.

    Masks of one class each do not know of each other, so that two may claim a unit. The largest
    keeps its value; the others lose, the more the larger p is.

    Parameters
    ----------
    masks : np.ndarray [shape=(n_classes, n_frames, n_mels), in [0, 1]]
    competition : float
        The exponent p; 0 changes nothing.

    Returns
    -------
    masks : np.ndarray [same shape, in [0, 1]]
    """
    if competition == 0:
        return masks
    powers = masks**competition
    return masks * powers / np.maximum(powers.sum(axis=0), LEAST**competition)


def refined(masks, found, *, competition=0.0, floor=0.0):
    """Masks of all classes after floor and competition.

    A class competes with the classes found. What is not found competes with them too, if it is
    separated nevertheless (with oracle tags), and takes nothing from them.

    Parameters
    ----------
    masks : np.ndarray [shape=(n_classes, n_frames, n_mels), in [0, 1]]
    found : sequence of int
        Classes whose tag is above the threshold.
    competition, floor : float
        As `competing` and `above_floor` take them.

    Returns
    -------
    masks : np.ndarray [same shape]
    """
    masks = above_floor(masks, floor)
    if competition == 0:
        return masks
    found = list(found)
    result = np.empty_like(masks)
    for k in range(len(masks)):
        rivals = [k, *(j for j in found if j != k)]
        result[k] = competing(masks[rivals], competition)[0]
    return result
