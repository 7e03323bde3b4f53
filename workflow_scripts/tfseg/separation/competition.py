"""Masks of the classes found, before they separate: competition, and a floor."""

import numpy as np

LEAST = 1e-6  # of a sum of masks, which may all be zero


def floored(masks, floor):
    """Leave at least a share of every band: the mask of a class that was missed is nearly zero.

    What is left where such a mask is largest is chance, and its SI-SDR far below that of the
    mixture. With a floor it is the mixture, quietly.

    Parameters
    ----------
    masks : np.ndarray [shape=(n_classes, n_frames, n_mels), in [0, 1]]
    floor : float in [0, 1)
        Least value; 0 changes nothing.
    """
    return np.maximum(masks, masks.dtype.type(floor))


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
    """Masks of all classes after competition and floor.

    A class competes with the classes found. What is not found competes with them too, if it is
    separated nevertheless (with oracle tags), and takes nothing from them.

    Parameters
    ----------
    masks : np.ndarray [shape=(n_classes, n_frames, n_mels), in [0, 1]]
    found : sequence of int
        Classes whose tag is above the threshold.
    competition, floor : float
        As `competing` and `floored` take them.

    Returns
    -------
    masks : np.ndarray [same shape]
    """
    if competition == 0:
        return floored(masks, floor)
    found = list(found)
    result = np.empty_like(masks)
    for k in range(len(masks)):
        rivals = [k, *(j for j in found if j != k)]
        result[k] = competing(masks[rivals], competition)[0]
    return floored(result, floor)
