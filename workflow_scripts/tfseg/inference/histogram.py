"""Exact AUC and average precision from counts of units per score.

Threshold-free metrics need only two counts per score value: all units and positive units. For
frames and masks, values are float16 bit patterns. Scores in [0, 1] have 15 361 patterns, which sort
like the values, so memory does not grow with the number of units. Equal-width bins would be too
coarse: most mask values are near zero, where float16 is finest. Tags are few and are counted by
rank.
"""

from dataclasses import dataclass

import numpy as np

from tfseg.io.files import create_dataset

N_PATTERNS = 0x3C00 + 1  # the bit pattern of 1.0, and zero


@dataclass
class RankedCounts:
    """Counts of scores and of positive scores, from the lowest score to the highest.

    Attributes
    ----------
    total, positive : np.ndarray [shape=(n_classes, n_values), dtype=int64]
    """

    total: np.ndarray
    positive: np.ndarray

    @property
    def n_positive(self):
        """Positive units of each class [shape=(n_classes,)]."""
        return self.positive.sum(axis=1)

    def auc(self):
        """Area under the ROC curve of each class; NaN without positives or without negatives."""
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
        """Equal error rate of each class; NaN without positives or without negatives.

        Where no threshold makes miss and false alarm rates equal, the two nearest points of the ROC
        curve are interpolated linearly (JSC Table 2 gives no convention).
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


class ScoreHistogram(RankedCounts):
    """Counts per float16 bit pattern; histograms of several sets of units can be added.

    Attributes
    ----------
    total, positive : np.ndarray [shape=(n_classes, N_PATTERNS), dtype=int64]
    """

    @classmethod
    def of(cls, scores, positive, kept=None):
        """Count arrays of scores.

        Parameters
        ----------
        scores : np.ndarray [shape=(..., n_classes), dtype=float16, in [0, 1]]
        positive : np.ndarray [same shape, dtype=bool]
        kept : np.ndarray [same shape, dtype=bool] or None
            A score that is not kept counts as zero.
        """
        n_classes = scores.shape[-1]
        patterns = np.ascontiguousarray(scores).view(np.uint16).reshape(-1, n_classes)
        if patterns.size and patterns.max() >= N_PATTERNS:
            # -0.0 has the sign bit set but is zero; everything else here is out of range.
            patterns = np.where(patterns == 0x8000, 0, patterns)
            if patterns.max() >= N_PATTERNS:
                raise ValueError("expected scores within 0..1, found one outside or NaN")
        positive = positive.reshape(-1, n_classes)
        total = np.empty((n_classes, N_PATTERNS), dtype=np.int64)
        of_positive = np.empty_like(total)
        for k in range(n_classes):
            column, is_positive = patterns[:, k], positive[:, k]
            if kept is not None:
                column = np.where(kept.reshape(-1, n_classes)[:, k], column, 0)
            total[k] = np.bincount(column, minlength=N_PATTERNS)
            of_positive[k] = np.bincount(column[is_positive], minlength=N_PATTERNS)
        return cls(total, of_positive)

    def __add__(self, other):
        return ScoreHistogram(self.total + other.total, self.positive + other.positive)

    def above(self, threshold):
        """Count the units above a threshold.

        Parameters
        ----------
        threshold : float or sequence of float [in [0, 1]]
            One for all classes, or one per class. Rounded to float16, as the scores are.

        Returns
        -------
        n_predicted, n_hit : np.ndarray [shape=(n_classes,), dtype=int64]
            All such units, and the positive ones.
        """
        thresholds = np.broadcast_to(np.asarray(threshold, dtype=np.float16), len(self.total))
        first = np.ascontiguousarray(thresholds).view(np.uint16).astype(np.int64) + 1
        return tuple(
            np.array([of_class[i:].sum() for of_class, i in zip(counts, first, strict=True)])
            for counts in (self.total, self.positive)
        )

    def f1(self, thresholds):
        """F1 of each class at several thresholds [shape=(n_classes, n_thresholds)].

        A score is positive above a threshold. F1 is zero without hits, and NaN without positives.

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


@dataclass(frozen=True)
class ClipMaskCounts:
    """Counts of T-F units of each clip and class, for the F1 of any set of clips.

    Attributes
    ----------
    positive : np.ndarray [shape=(n, n_classes), dtype=int32]
        Units within the ideal masks.
    predicted, hit : dict of str to np.ndarray [same shape and dtype]
        By the name of a set of thresholds: units above the threshold, and the positive ones of
        these.
    """

    positive: np.ndarray
    predicted: dict
    hit: dict

    def write(self, file):
        """Store the counts in an open HDF5 file, beside the counts of all clips."""
        create_dataset(file, "clip_positive", data=self.positive)
        for name in self.predicted:
            create_dataset(file, f"clip_predicted_{name}", data=self.predicted[name])
            create_dataset(file, f"clip_hit_{name}", data=self.hit[name])

    @classmethod
    def read(cls, file):
        """Read the counts from an open HDF5 file."""
        counts = {
            kind: {
                name.removeprefix(f"clip_{kind}_"): file[name][:]
                for name in file
                if name.startswith(f"clip_{kind}_")
            }
            for kind in ("predicted", "hit")
        }
        return cls(file["clip_positive"][:], **counts)


class ScoreRanks:
    """Ranks of the scores of each class, for counts against several references.

    Parameters
    ----------
    scores : np.ndarray [shape=(n, n_classes)]
    """

    def __init__(self, scores):
        if not np.isfinite(scores).all():
            raise ValueError("expected finite scores, found NaN or infinity")
        n_units, n_classes = scores.shape
        # Equal scores share a rank. Ranks of class k start at k * n_units, for one common count.
        self._cells = np.empty(scores.shape, dtype=np.int64)
        for k in range(n_classes):
            ranks = np.unique(scores[:, k], return_inverse=True)[1]
            self._cells[:, k] = k * n_units + ranks
        self._total = self._count(self._cells.ravel())

    def _count(self, cells):
        n_units, n_classes = self._cells.shape
        return np.bincount(cells, minlength=n_units * n_classes).reshape(n_classes, n_units)

    def counts(self, positive, order=slice(None)):
        """Count the scores against a reference.

        Parameters
        ----------
        positive : np.ndarray [shape=(n, n_classes), dtype=bool]
        order : np.ndarray [shape=(n,), dtype=int64]
            A permutation: the unit whose scores each unit takes. By default its own.

        Returns
        -------
        counts : RankedCounts
        """
        return RankedCounts(self._total, self._count(self._cells[order][positive]))
