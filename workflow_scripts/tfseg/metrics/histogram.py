"""Exact AUC and average precision from counts per float16 bit pattern.

Scores in [0, 1] take 15 361 values as float16, and their bit patterns sort like the values. Two
counts per value (all units, positive units) hold everything that threshold-free metrics need, at
a size that does not grow with the number of units. Equal-width bins would not do: masks live near
zero, where float16 is finest.
"""

from dataclasses import dataclass

import numpy as np

N_PATTERNS = 0x3C00 + 1  # the bit pattern of 1.0, and zero


@dataclass
class ScoreHistogram:
    """Counts of scores and of positive scores.

    Attributes
    ----------
    total, positive : np.ndarray [shape=(n_classes, N_PATTERNS), dtype=int64]
    """

    total: np.ndarray
    positive: np.ndarray

    @classmethod
    def of(cls, scores, positive):
        """Count arrays of scores.

        Parameters
        ----------
        scores : np.ndarray [shape=(..., n_classes), dtype=float16, in [0, 1]]
        positive : np.ndarray [same shape, dtype=bool]
        """
        n_classes = scores.shape[-1]
        patterns = np.ascontiguousarray(scores).view(np.uint16).reshape(-1, n_classes)
        positive = positive.reshape(-1, n_classes)
        if patterns.size and patterns.max() >= N_PATTERNS:
            # -0.0 has the sign bit set but is a zero; everything else here is out of range.
            patterns = np.where(patterns == 0x8000, 0, patterns)
            if patterns.max() >= N_PATTERNS:
                raise ValueError("expected scores within 0..1, found one outside or NaN")
        return cls(
            np.stack([np.bincount(patterns[:, k], minlength=N_PATTERNS) for k in range(n_classes)]),
            np.stack(
                [
                    np.bincount(patterns[positive[:, k], k], minlength=N_PATTERNS)
                    for k in range(n_classes)
                ]
            ),
        )

    def __add__(self, other):
        return ScoreHistogram(self.total + other.total, self.positive + other.positive)

    @property
    def n_positive(self):
        """Positive units of each class [shape=(n_classes,)]."""
        return self.positive.sum(axis=1)

    def auc(self):
        """Area under the ROC curve of each class; NaN where only one kind of unit exists."""
        positive = self.positive.astype(np.float64)
        negative = (self.total - self.positive).astype(np.float64)
        below = np.cumsum(negative, axis=1) - negative
        pairs = positive.sum(axis=1) * negative.sum(axis=1)
        wins = (positive * (below + 0.5 * negative)).sum(axis=1)
        return np.divide(wins, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)

    def average_precision(self):
        """Step-sum average precision of each class (scikit-learn's); NaN without positives."""
        hits = np.cumsum(self.positive[:, ::-1], axis=1)
        predicted = np.cumsum(self.total[:, ::-1], axis=1)
        precision = np.divide(hits, predicted, out=np.zeros(hits.shape), where=predicted > 0)
        n_positive = self.n_positive
        area = (precision * self.positive[:, ::-1]).sum(axis=1)
        return np.divide(area, n_positive, out=np.full(len(area), np.nan), where=n_positive > 0)

    def equal_error_rate(self):
        """Rate at which misses and false alarms are equal, per class; NaN for one kind of unit.

        Where no threshold makes them equal, the two nearest points of the ROC curve are joined by
        a straight line (JSC Table 2 gives no convention).
        """
        positive = self.positive[:, ::-1].astype(np.float64)
        negative = (self.total - self.positive)[:, ::-1].astype(np.float64)
        rates = np.full(len(positive), np.nan)
        for k, (hits, alarms) in enumerate(zip(positive, negative, strict=True)):
            if not hits.sum() or not alarms.sum():
                continue
            miss = np.concatenate([[1.0], 1 - np.cumsum(hits) / hits.sum()])
            alarm = np.concatenate([[0.0], np.cumsum(alarms) / alarms.sum()])
            after = int(np.argmax(alarm >= miss))
            before = after - 1
            gap_before, gap_after = (miss - alarm)[before], (alarm - miss)[after]
            share = gap_before / (gap_before + gap_after)
            rates[k] = alarm[before] + share * (alarm[after] - alarm[before])
        return rates

    def f1(self, thresholds):
        """F1 of each class at some thresholds [shape=(n_classes, n_thresholds)].

        A score is positive above a threshold. Zero where nothing is hit, NaN without positives.

        Parameters
        ----------
        thresholds : np.ndarray [in [0, 1]]
        """
        values = np.arange(N_PATTERNS, dtype=np.uint16).view(np.float16).astype(np.float64)
        first = np.searchsorted(values, thresholds, side="right")
        n_predicted, n_hit = (
            np.concatenate(
                [np.cumsum(counts[:, ::-1], axis=1)[:, ::-1], np.zeros((len(counts), 1))], 1
            )
            for counts in (self.total, self.positive)
        )
        n_positive = self.n_positive[:, None]
        f1 = 2 * n_hit[:, first] / np.maximum(n_predicted[:, first] + n_positive, 1)
        return np.where(n_positive > 0, f1, np.nan)
