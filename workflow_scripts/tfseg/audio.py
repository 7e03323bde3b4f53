"""Reading recordings: any rate and channel count that libsndfile reads, to mono at one rate."""

import numpy as np
import soundfile
import soxr

from tfseg.errors import DataError


def duration_s(path):
    """Length of a recording in seconds, from its header."""
    try:
        info = soundfile.info(str(path))
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise DataError(
            f"{path}: expected a sound file, found one that cannot be read: {error}"
        ) from None
    return info.frames / info.samplerate


def read_mono(path, sample_rate, *, resampler, start_s=0.0, stop_s=None):
    """Read (part of) a recording as mono at `sample_rate`.

    Channels are averaged before resampling, as released.

    Parameters
    ----------
    path : path-like
    sample_rate : int
        Hz, of the result.
    resampler : {"soxr_hq", "soxr_vhq"}
        Quality of the resampler; pinned by the experiment's config, since it changes the numbers.
    start_s, stop_s : float
        The part to read; `None` reads to the end.

    Returns
    -------
    samples : np.ndarray [shape=(n,), dtype=float32]

    Raises
    ------
    DataError
        When the file is missing, unreadable, empty, or holds NaN or infinite samples.
    """
    try:
        with soundfile.SoundFile(str(path)) as file:
            rate = file.samplerate
            first = round(start_s * rate)
            file.seek(min(first, file.frames))
            n_frames = -1 if stop_s is None else max(round(stop_s * rate) - first, 0)
            samples = file.read(n_frames, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise DataError(
            f"{path}: expected a sound file, found one that cannot be read: {error}"
        ) from None
    if len(samples) == 0:
        raise DataError(f"{path}: expected sound from {start_s} s on, found none")
    samples = samples.mean(axis=1)
    if not np.isfinite(samples).all():
        raise DataError(f"{path}: expected finite samples, found NaN or infinity")
    if rate != sample_rate:
        samples = soxr.resample(samples, rate, sample_rate, quality=resampler.removeprefix("soxr_"))
    return samples
