"""One pass over a recording: how long and how loud it really is, and what is wrong with it.

The check of a corpus and the analysis of recordings both begin here.
"""

import functools
from dataclasses import dataclass

import numpy as np

from tfseg.io.opening import Fault, open_sound

# Less than one step of 16 bit counts as digital silence: lossy coders leave such a residue.
SILENCE = 1 / 32768
# Of a mean, as a share of the RMS of the rest: a smaller one changes the level by less than 0.05 dB
# and is left where it is.
OFFSET_BOUND = 0.1
_OFFSET_LEAST_S = 0.1  # a shorter sound may have a mean of its own
_CANCELLED = 1e-3  # of the peak: what is left of channels of opposite sign is coding noise
_NEARLY_CANCELLED = 1e-2  # of the power that the mean of independent channels has
_TOO_LOUD = 1e6  # times full scale: no sound, and resampling it overflows
_FULL_SCALE = 0.9999
_CLIPPED_RUN = 3
_STRETCH_S = 0.032  # each has a peak
_LOUD_SHARE = 0.999
_BLOCK = 256  # stretches


def average_channels(samples):
    """Mono [shape=(n,)] of samples [shape=(n, n_channels)]."""
    # Channel by channel: numpy's mean over so short an axis takes longer than resampling.
    return functools.reduce(np.add, samples.T) / np.float32(samples.shape[1])


def offset_of(mean, power, n_samples, sample_rate):
    """Offset (a mean that is no sound) of a recording; 0 where it is too small to matter.

    Parameters
    ----------
    mean : float
    power : float
        Mean of the squared samples.
    n_samples : int
        That the two were taken over.
    sample_rate : int
        Hz.

    Returns
    -------
    offset : float
        The mean, where it is above `OFFSET_BOUND` times the RMS of the rest.
    """
    if n_samples < _OFFSET_LEAST_S * sample_rate or not np.isfinite(power):
        return 0.0
    return float(mean) if mean**2 > OFFSET_BOUND**2 * max(power - mean**2, 0.0) else 0.0


def without_offset(samples, sample_rate):
    """Samples [shape=(n,)] without their offset; the same array where there is none to speak of."""
    if len(samples) == 0:
        return samples
    mean = float(np.mean(samples, dtype=np.float64))
    power = float(samples @ samples) / len(samples)
    offset = offset_of(mean, power, len(samples), sample_rate)
    return samples - np.float32(offset) if offset else samples


@dataclass(frozen=True)
class Measured:
    """What is really in a recording, or in a part of it.

    Attributes
    ----------
    sample_rate : int
        Hz.
    channels : int
    n_samples : int
        Of the whole file.
    peak : float
        Full scale is 1; NaN where samples are not finite.
    sound : (int, int) or None
        First and last sample but one of what is not digital silence, in the file; None: silence.
    offset : float
        Mean of the averaged channels, where it is not negligible (`offset_of`).
    level : float
        What 99.9 % of the stretches of 32 ms do not exceed with their peaks (of the mean of the
        channels, without the offset). Not the peak: one knock on the microphone would decide that.
    faults : tuple of tfseg.io.opening.Fault
        ``truncated``, ``unfinished_header``, ``damaged``, ``empty``, ``not_finite``, ``too_loud``,
        ``silent``, ``cancelled``, ``nearly_cancelled``, ``dc_offset``, ``clipped``.
    """

    sample_rate: int
    channels: int
    n_samples: int
    peak: float
    sound: tuple[int, int] | None
    offset: float
    level: float
    faults: tuple[Fault, ...]

    @property
    def duration_s(self):
        """Length of the whole file."""
        return self.n_samples / self.sample_rate


class _Measure:
    """Sums, extremes and borders of samples, block by block."""

    def __init__(self, n_channels, n_stretch):
        self.n_samples, self._n_stretch = 0, n_stretch
        self.first, self._last_block = None, (0, np.zeros((0, n_channels), dtype=np.float32))
        # Of each channel, and of their mean behind them.
        self.high = np.full(n_channels + 1, -np.inf)
        self.low = np.full(n_channels + 1, np.inf)
        self._total, self._energy = np.zeros(n_channels + 1), np.zeros(n_channels + 1)
        self._stretches_high, self._stretches_low = [], []
        self.clipped, self._tail = False, 0

    @np.errstate(over="ignore", invalid="ignore")
    def add(self, block):
        """Take the next samples [shape=(n, channels)]; whole stretches but at the end."""
        mono = average_channels(block)
        for k, samples in enumerate([*block.T, mono]):
            # As numpy does, these keep a NaN.
            self.high[k] = np.maximum(self.high[k], samples.max())
            self.low[k] = np.minimum(self.low[k], samples.min())
            self._total[k] += samples.sum()
            self._energy[k] += samples @ samples
        starts = np.arange(0, len(mono), self._n_stretch)
        self._stretches_high.append(np.maximum.reduceat(mono, starts))
        self._stretches_low.append(np.minimum.reduceat(mono, starts))
        peak = max(block.max(), -block.min())
        if not peak < SILENCE:
            if self.first is None:
                sounding = np.abs(block).max(axis=1) >= SILENCE
                self.first = self.n_samples + int(sounding.argmax())
            self._last_block = (self.n_samples, block)
        self._look_for_runs(block, peak)
        self.n_samples += len(mono)

    def _look_for_runs(self, block, peak):
        """See whether samples in a row are at full scale; a run may go on from block to block."""
        if self.clipped or peak < _FULL_SCALE:
            self._tail = 0
            return
        full = np.abs(block).max(axis=1) >= _FULL_SCALE
        edges = np.flatnonzero(~np.concatenate([np.ones(self._tail, bool), full]))
        runs = np.diff(np.concatenate([[-1], edges, [self._tail + len(full)]])) - 1
        self.clipped = bool(runs.max() >= _CLIPPED_RUN)
        trailing = np.flatnonzero(~full[::-1])
        self._tail = int(trailing[0]) if len(trailing) else self._tail + len(full)

    @property
    def finite(self):
        """Whether all samples, and the mean of the channels, are numbers."""
        return bool(np.isfinite(self.high).all() and np.isfinite(self.low).all())

    @property
    def last(self):
        """Last sample that is not digital silence."""
        start, block = self._last_block
        sounding = np.abs(block[::-1]).max(axis=1) >= SILENCE
        return start + len(block) - 1 - int(sounding.argmax())

    def offsets(self, sample_rate):
        """Offset of each channel and of their mean, and the power of the rest, where it sounds."""
        n_samples = self.last + 1 - self.first
        means, powers = self._total / n_samples, self._energy / n_samples
        offsets = np.array(
            [offset_of(*pair, n_samples, sample_rate) for pair in zip(means, powers, strict=True)]
        )
        return offsets, np.maximum(powers - offsets**2, 0)

    def level(self, offset):
        """The level (`Measured`)."""
        if not self._stretches_high:
            return 0.0
        # In float32, as the samples are.
        offset = np.float32(offset)
        high = np.concatenate(self._stretches_high) - offset
        low = offset - np.concatenate(self._stretches_low)
        return float(np.quantile(np.maximum(high, low), _LOUD_SHARE))


def measure(path, start_s=0.0, stop_s=np.nan):
    """Read a recording once, or the part that is used, and say what is there.

    Parameters
    ----------
    path : path-like
    start_s, stop_s : float
        The part that is looked into; NaN: to the end.

    Returns
    -------
    measured : Measured

    Raises
    ------
    tfseg.errors.UnreadableSoundError
        When it cannot be opened, or be read to its end (of the part).
    """
    with open_sound(path) as sound:
        rate = sound.sample_rate
        n_stretch = max(round(_STRETCH_S * rate), 1)
        result = _Measure(sound.channels, n_stretch)
        first = sound.skip(round(start_s * rate))
        n_left = None if np.isnan(stop_s) else max(round(stop_s * rate) - first, 0)
        while n_left is None or n_left > 0:
            n_block = n_stretch * _BLOCK
            block = sound.read(n_block if n_left is None else min(n_left, n_block))
            if len(block) == 0:
                break
            result.add(block)
            n_left = None if n_left is None else n_left - len(block)
        n_found = first + result.n_samples
        ended = n_left is None or n_left > 0
        if sound.n_stated is None:
            while n_read := len(sound.read(n_stretch * _BLOCK)):
                n_found += n_read
        faults = list(sound.faults)
        if ended and sound.n_stated is not None and n_found < sound.n_stated:
            faults.append(
                Fault(
                    "truncated",
                    f"{sound.n_stated / rate:.3f} s, as its header says",
                    f"{n_found / rate:.3f} s",
                )
            )
        n_samples = n_found if ended or sound.n_stated is None else sound.n_stated
        return _sum_up(result, faults, rate, sound.channels, first, n_samples, start_s)


def _sum_up(result, faults, rate, channels, first, n_samples, start_s):
    peak, offset, borders = np.nan, 0.0, None
    if result.n_samples == 0:
        found = f"a file of {n_samples / rate:.3f} s" if n_samples else "none"
        faults.append(Fault("empty", f"samples from {start_s:g} s on", found))
    elif not result.finite:
        faults.append(Fault("not_finite", "finite samples", "NaN or infinite ones"))
    else:
        peak = float(max(result.high[:-1].max(), -result.low[:-1].min()))
        if peak > _TOO_LOUD:
            faults.append(
                Fault("too_loud", f"samples up to {_TOO_LOUD:.0e} times full scale", f"{peak:.1e}")
            )
        elif result.first is None:
            faults.append(Fault("silent", "a sound", f"no sample above {SILENCE:.1e}"))
        else:
            offsets, powers = result.offsets(rate)
            offset = float(offsets[-1])
            fault = _fault_of_levels(result, offsets, powers)
            if fault is not None:
                faults.append(fault)
            if fault is None or fault.problem not in ("silent", "cancelled"):
                borders = (first + result.first, first + result.last + 1)
    if result.clipped:
        faults.append(
            Fault(
                "clipped",
                f"fewer than {_CLIPPED_RUN} samples in a row at full scale",
                f"a run of {_CLIPPED_RUN} or more",
            )
        )
    level = result.level(offset) if result.finite else np.nan
    return Measured(rate, channels, n_samples, peak, borders, offset, level, tuple(faults))


def _fault_of_levels(result, offsets, powers):
    """What is wrong with levels of channels and of their mean: silence, cancelling, an offset."""
    peaks = np.maximum(result.high - offsets, offsets - result.low)
    n_channels = len(peaks) - 1
    if peaks[:-1].max() < SILENCE:
        return Fault("silent", "a sound", f"nothing but a mean of {offsets[:-1].max():.3g}")
    if peaks[-1] < _CANCELLED * peaks[:-1].max():
        return Fault("cancelled", "a sound", "channels that cancel each other")
    independent = powers[:-1].sum() / n_channels**2
    if n_channels > 1 and powers[-1] < _NEARLY_CANCELLED * independent:
        below_db = -10 * np.log10(powers[-1] / powers[:-1].max())
        return Fault(
            "nearly_cancelled",
            "channels that add up",
            f"channels of opposite sign: their mean is {below_db:.0f} dB below them",
        )
    if offsets[-1]:
        ratio = abs(offsets[-1]) / max(np.sqrt(powers[-1]), 1e-12)
        return Fault(
            "dc_offset",
            f"a mean of at most {OFFSET_BOUND:g} times the RMS of the sound",
            f"a mean of {offsets[-1]:.3g}, {ratio:.2g} times that RMS; levels are taken without it",
        )
    return None
