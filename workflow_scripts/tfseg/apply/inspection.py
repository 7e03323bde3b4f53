"""What a recording is before a model hears it: whether it can be used, and what is wrong with it."""

import os

from tfseg.errors import DataError, UnreadableSoundError
from tfseg.io.files import file_sha256
from tfseg.io.measuring import measure
from tfseg.io.opening import Fault
from tfseg.io.sound_files import why_missing

# What a recording is not analysed with, and why; anything else is analysed, and said.
_OF_NO_USE = {
    "empty": "expected sound, found none: the file has no samples",
    "not_finite": "expected finite samples, found NaN or infinite ones",
    "cancelled": "expected channels that add up, found some that cancel each other: nothing is left "
    "in their mean. Analyse one of them: ffmpeg -i IN -af 'pan=mono|c0=c0' OUT.wav",
}
_NOTED = {
    "truncated", "unfinished_header", "damaged", "too_loud", "silent", "nearly_cancelled", "dc_offset"
}  # fmt: skip


def _check_is_file(path):
    if not os.path.exists(path):
        raise DataError(f"{path}: expected a sound file, found {why_missing(path)}")
    if os.path.isdir(path):  # it was listed, since it could not be looked into
        try:
            os.scandir(path).close()
            why = "a folder whose sound files were not listed"
        except OSError as error:
            why = (
                f"one that cannot be listed ({error.strerror or error}): nothing in it is analysed"
            )
        raise DataError(f"{path}: expected a folder to look into, found {why}")


def digest_of(path):
    """SHA-256 of a recording's bytes.

    Raises
    ------
    DataError
        When it is missing or cannot be read.
    """
    _check_is_file(path)
    try:
        return file_sha256(path)
    except OSError as error:
        raise UnreadableSoundError(path, error.strerror or error) from None


def look(path, grid):
    """Read a recording once: what is there, and what is not as it should be.

    Parameters
    ----------
    path : path-like
    grid : tfseg.features.time_grid.TimeGrid
        Of the model.

    Returns
    -------
    measured : tfseg.io.measuring.Measured
    notes : tuple of str
        What does not keep it from being analysed.

    Raises
    ------
    DataError
        When it is missing, or of no use; it says why.
    """
    _check_is_file(path)
    measured = measure(path)
    for fault in measured.faults:
        if fault.problem in _OF_NO_USE:
            raise DataError(f"{path}: {_OF_NO_USE[fault.problem]}")
    faults = [fault for fault in measured.faults if fault.problem in _NOTED]
    frame_s = grid.window_length / grid.sample_rate
    if measured.duration_s < frame_s:
        faults.append(
            Fault(
                "shorter_than_one_frame",
                f"at least the {1000 * frame_s:g} ms that the model looks at at once",
                f"{measured.n_samples} samples, {1000 * measured.duration_s:.3g} ms",
            )
        )
    return measured, tuple(str(fault) for fault in faults)
