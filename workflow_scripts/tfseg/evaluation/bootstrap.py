"""Macro metrics of bootstrap resamples: each resample is a row of weights.

A resample draws as many clips as there are, with replacement. A clip's weight is how often it was
drawn, and a metric of the resample is computed from weighted counts. The first row of weights is
all ones: the original clips. A class without reference in a resample is left out of that
resample's mean.
"""

from dataclasses import dataclass

import numpy as np

from tfseg.job.seeding import generator


def draw_weights(folds, n_resamples, seed, *seed_names):
    """Draw clips with replacement, within each fold.

    Parameters
    ----------
    folds : sequence [length n_clips]
        Fold of each clip.
    n_resamples : int
    seed : int
    *seed_names : str or int

    Returns
    -------
    weights : np.ndarray [shape=(1 + n_resamples, n_clips), dtype=int32]
        How often each clip was drawn; the first row is all ones.
    """
    folds = np.asarray(folds)
    rng = generator(seed, "bootstrap", *seed_names)
    weights = np.ones((1 + n_resamples, len(folds)), dtype=np.int32)
    for fold in dict.fromkeys(folds.tolist()):
        clips = np.flatnonzero(folds == fold)
        shares = np.full(len(clips), 1 / len(clips))
        weights[1:, clips] = rng.multinomial(len(clips), shares, size=n_resamples)
    return weights


def _macro(numerator, denominator):
    """Mean of a quotient over the classes whose denominator is not zero."""
    known = denominator > 0
    values = np.divide(numerator, denominator, out=np.zeros(known.shape), where=known)
    n_known = known.sum(axis=1)
    return np.divide(
        values.sum(axis=1), n_known, out=np.full(len(n_known), np.nan), where=n_known > 0
    )


@dataclass(frozen=True)
class ClipF1:
    """F1 of counted units (clips, frames, events, T-F units).

    Attributes
    ----------
    predicted, reference, hit : np.ndarray [shape=(n_clips, n_classes)]
        Units above the threshold, positive units, and units that are both.
    """

    predicted: np.ndarray
    reference: np.ndarray
    hit: np.ndarray

    def macro(self, weights):
        """Macro F1 of each row of weights [shape=(n_rows,)]."""
        # In float64, where matrix products are fast and exact for counts.
        weights = weights.astype(np.float64)
        predicted, reference, hit = (
            weights @ part.astype(np.float64) for part in (self.predicted, self.reference, self.hit)
        )
        return _macro(2 * hit, np.where(reference > 0, predicted + reference, 0))


@dataclass(frozen=True)
class ClipMean:
    """Mean of values, where a clip may have any number of values for each class.

    Attributes
    ----------
    total, count : np.ndarray [shape=(n_clips, n_classes)]
        Sum and number of a clip's values.
    """

    total: np.ndarray
    count: np.ndarray

    def macro(self, weights):
        """Mean over classes of the mean over clips, for each row of weights [shape=(n_rows,)]."""
        weights = weights.astype(np.float64)
        return _macro(weights @ self.total, weights @ self.count.astype(np.float64))


@dataclass(frozen=True)
class ClipAveragePrecision:
    """Step-sum average precision, as in scikit-learn, of one score per clip and class.

    Attributes
    ----------
    scores : np.ndarray [shape=(n_clips, n_classes)]
    target : np.ndarray [same shape, dtype=bool]
    """

    scores: np.ndarray
    target: np.ndarray

    def macro(self, weights):
        """Mean average precision of each row of weights [shape=(n_rows,)]."""
        by_clip = np.ascontiguousarray(weights.T)
        areas, n_positive = np.zeros((2, weights.shape[0], self.scores.shape[1]))
        for k, (scores, target) in enumerate(zip(self.scores.T, self.target.T, strict=True)):
            order = np.argsort(-scores, kind="stable")
            ordered, positive = scores[order], target[order]
            if not positive.any():
                continue
            # Equal scores pass a threshold together: count each up to the last of them.
            last = np.searchsorted(-ordered, -ordered, side="right") - 1
            places = np.flatnonzero(positive)
            drawn = by_clip[order[places]]  # (n_positive_clips, n_rows)
            n_above = np.cumsum(by_clip[order], axis=0, dtype=np.int32)[last[places]]
            hits_so_far = np.cumsum(drawn, axis=0, dtype=np.int32)
            n_hit = hits_so_far[np.cumsum(positive)[last[places]] - 1]
            precision = n_hit / np.maximum(n_above, 1)
            areas[:, k] = (drawn * precision).sum(axis=0)
            n_positive[:, k] = hits_so_far[-1]
        return _macro(areas, n_positive)
