"""Data augmentation of a training batch's log-mel spectrograms; the tags stay valid.

Augmentation reduces overfitting: a clip's tags do not depend on its level, on the times of its
events, on the microphone's frequency response, or on other sounds. Random values depend on the
iteration alone, so a resumed training needs no generator state.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from tfseg.job.seeding import generator

_NEPER_PER_DB = math.log(10) / 20  # log-mel values are natural logarithms of magnitudes
_FILTER_NODES = 4


@dataclass(frozen=True)
class AugmentationSettings:
    """Keys of ``training.augmentation`` in the config; 0 and false change nothing.

    Parameters
    ----------
    mixup : float in [0, 1]
        Share of the clips to which another clip of the batch is added. Magnitudes are summed, and
        the tags are the union. (Zhang et al., ICLR 2018, use random weights for clips and tags;
        here a tag is positive however faint the sound is.)
    time_shift : bool
        Circular time shift of each clip by a random number of frames.
    gain_db : float
        Largest random change of each clip's level, up or down.
    band_gain_db : float
        Largest random gain of each of four random bands, interpolated linearly. It imitates other
        microphones (FilterAugment, Nam et al., ICASSP 2022).
    mel_shift : int
        Largest random shift of each clip in mel bands, up or down. It imitates other pitches.
    """

    mixup: float
    time_shift: bool
    gain_db: float
    band_gain_db: float
    mel_shift: int


def _band_gains(rng, n_clips, n_mels, limit_db):
    """Random filters in dB [shape=(n_clips, n_mels)], piecewise linear between random nodes."""
    bands = np.arange(n_mels)
    inner = np.sort(rng.uniform(0, n_mels - 1, (n_clips, _FILTER_NODES - 2)), axis=1)
    gains_db = rng.uniform(-limit_db, limit_db, (n_clips, _FILTER_NODES))
    return np.stack(
        [
            np.interp(bands, [0, *nodes, n_mels - 1], gains)
            for nodes, gains in zip(inner, gains_db, strict=True)
        ]
    )


def draw_changes(settings, n_clips, n_frames, n_mels, seed, iteration):
    """Draw how the clips of one batch are changed.

    Parameters
    ----------
    settings : AugmentationSettings
    n_clips, n_frames, n_mels : int
        Size of the batch.
    seed, iteration : int
        Determine all random values.

    Returns
    -------
    changes : dict of str to np.ndarray [shape=(n_clips, ...)]
        Only what the settings ask for: ``turns`` (n_clips, 1), frames by which each clip is turned;
        ``bands`` (n_clips, n_mels), the band that is taken for each; ``gains`` (n_clips, n_mels,
        float32) in Np; ``partners`` (n_clips,), the clips that may be added, and ``is_mixed``
        (n_clips,), whether they are.
    """
    # The order of the draws is fixed, and each is made if a later one is needed, so that the
    # changes do not affect each other's values.
    has_gains = bool(settings.gain_db or settings.band_gain_db)
    asked_for = (settings.time_shift, settings.mel_shift, has_gains, settings.mixup)
    last = max((place for place, asked in enumerate(asked_for, start=1) if asked), default=0)
    changes = {}
    if not last:
        return changes
    rng = generator(seed, "augmentation", iteration)
    turns = rng.integers(n_frames, size=(n_clips, 1))
    if settings.time_shift:
        changes["turns"] = turns
    if last >= 2:
        shifts = rng.integers(-settings.mel_shift, settings.mel_shift + 1, size=(n_clips, 1))
        if settings.mel_shift:
            changes["bands"] = np.clip(np.arange(n_mels) + shifts, 0, n_mels - 1)
    if last >= 3:
        gains_db = rng.uniform(-1, 1, (n_clips, 1)) * settings.gain_db
        gains_db = gains_db + _band_gains(rng, n_clips, n_mels, settings.band_gain_db)
        if has_gains:
            changes["gains"] = (gains_db * _NEPER_PER_DB).astype(np.float32)
    if last >= 4:
        changes["partners"] = rng.permutation(n_clips)
        changes["is_mixed"] = rng.random(n_clips) < settings.mixup
    return changes


def augment(logmel, target, changes):
    """Change one batch; turning in time is done where the batch is gathered.

    Parameters
    ----------
    logmel : torch.Tensor [shape=(batch, time, mel), float32]
        Natural logarithms of mel magnitudes, not standardised.
    target : torch.Tensor [shape=(batch, class), float32, 0 or 1]
    changes : dict of str to torch.Tensor
        As `draw_changes` gives them, on the device of `logmel`.

    Returns
    -------
    logmel, target : torch.Tensor
        Of the same shapes; new tensors where something was changed.
    """
    if "bands" in changes:
        logmel = logmel.gather(2, changes["bands"][:, None, :].expand_as(logmel))
    if "gains" in changes:
        logmel = logmel + changes["gains"][:, None, :]
    if "partners" in changes:
        partners, is_mixed = changes["partners"], changes["is_mixed"]
        total = torch.logaddexp(logmel, logmel.index_select(0, partners))
        logmel = torch.where(is_mixed[:, None, None], total, logmel)
        union = torch.maximum(target, target.index_select(0, partners))
        target = torch.where(is_mixed[:, None], union, target)
    return logmel, target
