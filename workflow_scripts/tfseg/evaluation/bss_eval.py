"""Metrics of separated waveforms: BSS Eval (SDR, SIR, SAR), SI-SDR and SNR, all in dB."""

import functools
import math

import numpy as np
import scipy.fft
import scipy.linalg

# Relative to the mixture's peak: samples below this (-200 dB) are rounding errors and count as
# silence.
_SILENCE = 1e-10
# Relative to the energy (-270 dB): float64's rounding error for a multiple of the reference.
_ROUNDING = 1e-27
_MEASURES = ("sdr", "sir", "sar", "si_sdr", "snr")


class BssEval:
    """BSS Eval v3 (Vincent, Gribonval and Fevotte 2006) for many estimates of the same sources.

    An estimate is projected onto the target, and onto all references, each with all delays below
    `filter_length`. Quantities that depend on the references alone are computed once. The scores
    equal those of ``mir_eval.separation.bss_eval_sources`` without permutations.

    Parameters
    ----------
    references : np.ndarray [shape=(n_sources, n_samples)]
        None of them silent.
    filter_length : int
        Taps of the distortion filter that is allowed; 512 in all toolboxes.
    """

    def __init__(self, references, filter_length=512):
        references = np.asarray(references, dtype=np.float64)
        self._n_sources, self._n_samples = references.shape
        self._filter_length = filter_length
        self._n_filtered = self._n_samples + filter_length - 1
        self._n_fft = scipy.fft.next_fast_len(self._n_filtered, real=True)
        self._spectra = scipy.fft.rfft(references, self._n_fft)
        gram = self._gram_matrix()
        taps = [slice(k * filter_length, (k + 1) * filter_length) for k in range(self._n_sources)]
        self._solve_single = [_solver(gram[k, k]) for k in taps]
        self._solve_joint = _solver(gram)

    def score(self, estimate, target=0):
        """Score one estimate.

        Parameters
        ----------
        estimate : np.ndarray [shape=(n_samples,)]
        target : int
            Index of its reference.

        Returns
        -------
        sdr_db, sir_db, sar_db : float
            Infinite where the corresponding error is zero, -inf for a silent estimate.
        """
        estimate = np.asarray(estimate, dtype=np.float64)
        if estimate.shape != (self._n_samples,):
            raise ValueError(
                f"expected an estimate of {self._n_samples} samples, found {estimate.shape}"
            )
        spectrum = scipy.fft.rfft(estimate, self._n_fft)
        products = scipy.fft.irfft(self._spectra.conj() * spectrum, self._n_fft)
        products = products[:, : self._filter_length]
        only = slice(target, target + 1)
        wanted = self._filtered(self._solve_single[target](products[target]), only)
        # With one source both projections are equal, bit for bit: no interference.
        joint = (
            self._filtered(self._solve_joint(products.reshape(-1)), slice(None))
            if self._n_sources > 1
            else wanted
        )
        artefacts = -joint
        artefacts[: self._n_samples] += estimate
        interference = joint - wanted
        return (
            _ratio_db(_energy(wanted), _energy(interference + artefacts)),
            _ratio_db(_energy(wanted), _energy(interference)),
            _ratio_db(_energy(joint), _energy(artefacts)),
        )

    def _gram_matrix(self):
        """Inner products of all delayed references with each other."""
        n_sources, n_taps = self._n_sources, self._filter_length
        gram = np.empty((n_sources, n_taps, n_sources, n_taps))
        for i in range(n_sources):
            for j in range(i, n_sources):
                lags = scipy.fft.irfft(self._spectra[i] * self._spectra[j].conj(), self._n_fft)
                # Lag b - a: the first is delayed by a, the second by b.
                block = scipy.linalg.toeplitz(lags[-np.arange(n_taps)], lags[:n_taps])
                gram[i, :, j, :] = block
                gram[j, :, i, :] = block.T
        return gram.reshape(n_sources * n_taps, n_sources * n_taps)

    def _filtered(self, taps, sources):
        """Sum of the references in `sources`, filtered [shape=(n_filtered,)]."""
        responses = scipy.fft.rfft(taps.reshape(-1, self._filter_length), self._n_fft)
        total = (responses * self._spectra[sources]).sum(axis=0)
        return scipy.fft.irfft(total, self._n_fft)[: self._n_filtered]


def _solver(gram):
    """Return the function from inner products to filter taps.

    Uses LU as mir_eval does, or its minimum-norm least squares where references are dependent.
    """
    factors, pivots, zero_pivot = scipy.linalg.lapack.dgetrf(gram)
    if zero_pivot:
        # The cut-off of numpy.linalg.lstsq.
        cutoff = len(gram) * np.finfo(np.float64).eps
        return np.linalg.pinv(gram, rcond=cutoff, hermitian=True).__matmul__
    return functools.partial(scipy.linalg.lu_solve, (factors, pivots), check_finite=False)


def si_sdr(reference, estimate):
    """Scale-invariant SDR (Le Roux et al. 2019), without removing means.

    Parameters
    ----------
    reference, estimate : np.ndarray [shape=(n_samples,)]

    Returns
    -------
    si_sdr_db : float
        inf for a multiple of the reference, -inf for a silent estimate, NaN for a silent
        reference.
    """
    reference = np.asarray(reference, dtype=np.float64)
    estimate = np.asarray(estimate, dtype=np.float64)
    reference_energy = _energy(reference)
    if reference_energy == 0:
        return math.nan
    target = (estimate @ reference / reference_energy) * reference
    target_energy, noise_energy = _energy(target), _energy(target - estimate)
    if 0 < noise_energy < _ROUNDING * target_energy:
        return math.inf
    return _ratio_db(target_energy, noise_energy)


def snr(reference, estimate):
    """Signal-to-noise ratio of an estimate: any distortion or change of gain counts as noise.

    Parameters
    ----------
    reference, estimate : np.ndarray [shape=(n_samples,)]

    Returns
    -------
    snr_db : float
        inf for the reference itself, 0 for a silent estimate, NaN for a silent reference.
    """
    reference = np.asarray(reference, dtype=np.float64)
    energy = _energy(reference)
    if energy == 0:
        return math.nan
    noise_energy = _energy(reference - np.asarray(estimate, dtype=np.float64))
    return math.inf if noise_energy < _ROUNDING * energy else _ratio_db(energy, noise_energy)


def score_separation(reference, rest, estimates, span=None, filter_length=512):
    """Score every system's estimate of one class in one mixture.

    A signal is silent if it never exceeds 1e-10 of the mixture's peak within the span.

    Parameters
    ----------
    reference : np.ndarray [shape=(n_samples,)]
        The class's event track, at its level in the mixture.
    rest : np.ndarray [shape=(n_samples,)]
        The mixture without the reference. Where it is silent, there is no interference: SIR is inf.
    estimates : dict of str to np.ndarray [shape=(n_samples,)]
        By system.
    span : (int, int) or None
        First and stop sample of the part to score; None: all.
    filter_length : int
        As in `BssEval`.

    Returns
    -------
    scores : dict of str to dict of str to float
        sdr, sir, sar, si_sdr and snr in dB by system. All are NaN for a silent reference. For a
        silent estimate the first four are -inf.
    """
    counted = slice(*span) if span is not None else slice(None)
    reference = np.asarray(reference, dtype=np.float64)[counted]
    rest = np.asarray(rest, dtype=np.float64)[counted]
    silence = _SILENCE * _peak(reference + rest)
    if _peak(reference) <= silence:
        return {system: dict.fromkeys(_MEASURES, math.nan) for system in estimates}
    sources = [reference] if _peak(rest) <= silence else [reference, rest]
    bss_eval = BssEval(sources, filter_length)
    scores = {}
    for system, estimate in estimates.items():
        estimate = np.asarray(estimate, dtype=np.float64)[counted]
        values = (
            (-math.inf,) * 4
            if _peak(estimate) <= silence
            else (*bss_eval.score(estimate), si_sdr(reference, estimate))
        )
        scores[system] = dict(zip(_MEASURES, (*values, snr(reference, estimate)), strict=True))
    return scores


def _peak(samples):
    return float(np.max(np.abs(samples), initial=0.0))


def _energy(samples):
    return float(samples @ samples)


def _ratio_db(numerator, denominator):
    if numerator == 0:
        return -math.inf
    if denominator == 0:
        return math.inf
    return 10 * math.log10(numerator / denominator)
