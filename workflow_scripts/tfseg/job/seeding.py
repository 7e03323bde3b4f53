"""One base seed, from which every task derives its own, so that tasks are independent."""

import hashlib

import numpy as np


def derive_seed(seed, *names):
    """Derive a 63-bit seed from the base seed and the names of a stage and its indices.

    Parameters
    ----------
    seed : int
        The experiment's base seed.
    *names : str or int
        Stage and indices, e.g. ``"train", 2, "gwrp"``. Their order matters.

    Returns
    -------
    derived_seed : int in [0, 2**63)
    """
    text = "\x1f".join([str(int(seed)), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed, *names):
    """Return a numpy random generator for the task given by `names`."""
    return np.random.Generator(np.random.PCG64(derive_seed(seed, *names)))
