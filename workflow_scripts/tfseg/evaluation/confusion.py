"""Which classes are taken for which: how often one is predicted where another sounds."""

import numpy as np


def confusion_rates(tags, target, threshold):
    """Count clips in which a class sounds by what is predicted in them.

    Clips have several classes, so rows do not sum to one: a clip counts for each class that
    sounds in it, and says nothing of a class j that sounds as well.

    Parameters
    ----------
    tags : np.ndarray [shape=(n, n_classes)]
    target : np.ndarray [shape=(n, n_classes), dtype=bool]
    threshold : float
        A class is predicted where its tag is above it.

    Returns
    -------
    rates : np.ndarray [shape=(n_classes, n_classes)]
        Row i, column j: of the clips in which class i sounds and class j does not, the share in
        which j is predicted. On the diagonal: of the clips in which i sounds, the share in which
        i is predicted (recall). NaN where there is no such clip.
    n_clips : np.ndarray [shape=(n_classes, n_classes), dtype=int64]
        Clips that a rate is of.
    """
    predicted, sounds = (tags > threshold).astype(np.int64), target.astype(np.int64)
    n_clips = sounds.T @ (1 - sounds)
    hits = sounds.T @ (predicted * (1 - sounds))
    np.fill_diagonal(n_clips, sounds.sum(axis=0))
    np.fill_diagonal(hits, (sounds * predicted).sum(axis=0))
    with np.errstate(invalid="ignore"):
        return hits / np.where(n_clips > 0, n_clips, np.nan), n_clips
