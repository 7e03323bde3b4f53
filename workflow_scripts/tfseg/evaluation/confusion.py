"""Confusion between classes: how often one is predicted where another is present."""

import numpy as np


def confusion_rates(tags, target, threshold):
    """Compute how often each class is predicted in clips with each other class.

    Clips have several classes, so rows do not sum to one. A clip counts in the row of each class
    that is present, but not in the columns of other present classes.

    Parameters
    ----------
    tags : np.ndarray [shape=(n, n_classes)]
    target : np.ndarray [shape=(n, n_classes), dtype=bool]
    threshold : float
        A class is predicted where its tag is above it.

    Returns
    -------
    rates : np.ndarray [shape=(n_classes, n_classes)]
        Row i, column j: the share of clips with j predicted, among clips with class i and without
        class j. On the diagonal: the share with i predicted among clips with i (recall). NaN where
        there is no such clip.
    n_clips : np.ndarray [shape=(n_classes, n_classes), dtype=int64]
        Number of clips of each rate.
    """
    predicted, sounds = (tags > threshold).astype(np.int64), target.astype(np.int64)
    n_clips = sounds.T @ (1 - sounds)
    hits = sounds.T @ (predicted * (1 - sounds))
    np.fill_diagonal(n_clips, sounds.sum(axis=0))
    np.fill_diagonal(hits, (sounds * predicted).sum(axis=0))
    with np.errstate(invalid="ignore"):
        return hits / np.where(n_clips > 0, n_clips, np.nan), n_clips
