"""Intervals of macro metrics, and of their differences between systems, by bootstrap over clips.

Every system, SNR and repeat is scored on the same clips, and every resample draws the same clips
for all of them (paired bootstrap). The intervals reflect the sampling of clips for the given
trained networks. The variation between trainings is seen in the repeats.
"""

import numpy as np
import pandas as pd

from tfseg.errors import DataError
from tfseg.evaluation.bootstrap import draw_weights
from tfseg.snr import snr_name

LEVEL = 0.95
INTERVAL_COLUMNS = [
    "task",
    "metric",
    "class",
    "snr_db",
    "system",
    "fold",
    "seed",
    "variant",
    "value",
    "low",
    "high",
    "level",
    "method",
]
COMPARISON_COLUMNS = [
    "task",
    "metric",
    "class",
    "snr_db",
    "variant",
    "system",
    "reference",
    "value",
    "reference_value",
    "difference",
    "difference_low",
    "difference_high",
    "ratio",
    "ratio_low",
    "ratio_high",
    "level",
    "n_clips",
    "n_seeds",
    "method",
]


class Samples:
    """Values of every measure of every run, for the original clips and for each resample.

    Parameters
    ----------
    n_resamples : int
    seed : int
    """

    def __init__(self, n_resamples, seed):
        self.n_resamples, self._seed = n_resamples, seed
        self._values, self._clips, self._weights = {}, {}, {}

    def add(self, kind, clips, measures, *, snr_db, system, seed):
        """Add the measures of one run.

        Parameters
        ----------
        kind : str
            Kind of the clips (``scored``, ``separated``), which are the same in every run.
        clips : tfseg.evaluation.clip_counts.ClipSet
        measures : dict of (task, metric, variant) to measure
            Each with a method ``macro``, as in `tfseg.evaluation.bootstrap`.
        snr_db : float or None
        system : str
        seed : int
            Number of the repeat.

        Raises
        ------
        DataError
            When an earlier run of this kind has other clips.
        """
        if self._clips.setdefault(kind, clips) != clips:
            raise DataError(
                f"{system}, {snr_name(snr_db)}, repeat {seed}: "
                f"expected the {len(self._clips[kind].names)} clips of the earlier runs, "
                f"found {len(clips.names)} others"
            )
        if kind not in self._weights:
            self._weights[kind] = draw_weights(clips.folds, self.n_resamples, self._seed, kind)
        for key, measure in measures.items():
            runs = self._values.setdefault((*key, system, kind), {})
            runs[snr_db, seed] = measure.macro(self._weights[kind])

    def systems(self):
        """Yield (task, metric, variant, system, kind of clips, values by SNR and repeat)."""
        for key, runs in self._values.items():
            yield *key, runs

    def n_clips(self, kind):
        """Return the number of clips of a kind."""
        return len(self._clips[kind].names)


def _percentiles(samples):
    """Return the point value, and the interval over the resamples that have a value."""
    value, resampled = float(samples[0]), samples[1:]
    resampled = resampled[np.isfinite(resampled)]
    if not (np.isfinite(value) and len(resampled)):
        return value, np.nan, np.nan
    tail = 50 * (1 - LEVEL)
    return value, *map(float, np.percentile(resampled, [tail, 100 - tail]))


def _over_repeats(runs):
    """Average over repeats within each resample, by SNR; and over the SNRs, as ``all``."""
    by_snr = {}
    for (snr_db, _), values in runs.items():
        by_snr.setdefault(snr_db, []).append(values)
    means = {snr_db: np.mean(values, axis=0) for snr_db, values in by_snr.items()}
    return means | {"all": np.mean(list(means.values()), axis=0)}


def interval_rows(samples):
    """Compute 95 % intervals of every measure: percentiles over resampled clips, folds pooled.

    Parameters
    ----------
    samples : Samples

    Returns
    -------
    intervals : pd.DataFrame
        `INTERVAL_COLUMNS`. The ``snr_db`` ``all`` is the mean over SNRs within each resample. With
        several repeats, the ``seed`` ``all`` is the mean over repeats.
    """
    rows = []
    method = f"bootstrap over clips, percentile, {samples.n_resamples} resamples"
    for task, metric, variant, system, _, runs in samples.systems():
        repeats = dict.fromkeys(repeat for _, repeat in runs)
        chosen = {n: {key: v for key, v in runs.items() if key[1] == n} for n in repeats}
        if len(repeats) > 1:
            chosen["all"] = runs
        for repeat, of_repeat in chosen.items():
            for snr_db, values in _over_repeats(of_repeat).items():
                numbers = _percentiles(values)
                keys = (task, metric, "macro", snr_db, system, "pooled", repeat, variant)
                rows.append((*keys, *numbers, LEVEL, method))
    return pd.DataFrame(rows, columns=INTERVAL_COLUMNS)


def _ratio(values, reference):
    """Ratio of two measures that are at least zero; none where the reference may be zero."""
    if not (reference > 0).all():
        return np.nan, np.nan, np.nan
    return _percentiles(values / reference)


def comparison_rows(samples, reference):
    """Paired differences between every system and a reference system.

    Parameters
    ----------
    samples : Samples
    reference : str
        The reference system. Measures that it does not have are not compared.

    Returns
    -------
    comparisons : pd.DataFrame
        `COMPARISON_COLUMNS`. Values are means over repeats within each resample; the ``snr_db``
        ``all`` is also the mean over SNRs. ``ratio`` is empty for decibels, whose ratio has no
        meaning, and where the reference is zero in any resample.
    """
    rows = []
    method = f"paired bootstrap over clips, percentile, {samples.n_resamples} resamples"
    means = {
        (task, metric, variant, system): (
            _over_repeats(runs),
            kind,
            len({repeat for _, repeat in runs}),
        )
        for task, metric, variant, system, kind, runs in samples.systems()
    }
    for (task, metric, variant, system), (by_snr, kind, n_repeats) in means.items():
        against, *_ = means.get((task, metric, variant, reference), ({},))
        if system == reference:
            continue
        for snr_db, values in by_snr.items():
            if snr_db not in against:
                continue
            others = against[snr_db]
            ratio = (np.nan,) * 3 if task == "separation" else _ratio(values, others)
            rows.append(
                (
                    *(task, metric, "macro", snr_db, variant, system, reference),
                    *(float(values[0]), float(others[0])),
                    *_percentiles(values - others),
                    *ratio,
                    *(LEVEL, samples.n_clips(kind), n_repeats, method),
                )
            )
    return pd.DataFrame(rows, columns=COMPARISON_COLUMNS)
