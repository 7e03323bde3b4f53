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


def augment(logmel, target, settings, seed, iteration):
    """Change one batch.

    Parameters
    ----------
    logmel : torch.Tensor [shape=(batch, time, mel), float32]
        Natural logarithms of mel magnitudes, not standardised.
    target : torch.Tensor [shape=(batch, class), float32, 0 or 1]
    settings : AugmentationSettings
    seed, iteration : int
        Determine all random values.

    Returns
    -------
    logmel, target : torch.Tensor
        Of the same shapes; new tensors where something was changed.
    """
    if settings == AugmentationSettings(0, False, 0, 0, 0):
        return logmel, target
    rng = generator(seed, "augmentation", iteration)
    n_clips, n_frames, n_mels = logmel.shape
    device = logmel.device
    frames = np.arange(n_frames)[None].repeat(n_clips, axis=0)
    bands = np.arange(n_mels)[None].repeat(n_clips, axis=0)
    # Everything is drawn even if unused, so that the changes do not affect each other's values.
    turns = rng.integers(n_frames, size=(n_clips, 1))
    shifts = rng.integers(-settings.mel_shift, settings.mel_shift + 1, size=(n_clips, 1))
    gains_db = rng.uniform(-1, 1, (n_clips, 1)) * settings.gain_db
    filters_db = _band_gains(rng, n_clips, n_mels, settings.band_gain_db)
    others = rng.permutation(n_clips)
    is_mixed = rng.random(n_clips) < settings.mixup
    if settings.time_shift:
        frames = (frames + turns) % n_frames
    if settings.mel_shift:
        bands = np.clip(bands + shifts, 0, n_mels - 1)
    if settings.time_shift or settings.mel_shift:
        rows = torch.arange(n_clips, device=device)[:, None, None]
        at = [torch.from_numpy(index).to(device) for index in (frames, bands)]
        logmel = logmel[rows, at[0][:, :, None], at[1][:, None, :]]
    if settings.gain_db or settings.band_gain_db:
        gains = torch.from_numpy((gains_db + filters_db) * _NEPER_PER_DB).to(logmel)
        logmel = logmel + gains[:, None, :]
    if is_mixed.any():
        mixed = torch.from_numpy(is_mixed).to(device)
        others = torch.from_numpy(others).to(device)
        total = torch.logaddexp(logmel, logmel[others])
        logmel = torch.where(mixed[:, None, None], total, logmel)
        target = torch.where(mixed[:, None], torch.maximum(target, target[others]), target)
    return logmel, target
