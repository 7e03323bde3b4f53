"""The SNR of a mixture, in Python, paths, tables and texts.

Clips that were not mixed here have no SNR. Python uses None for it; paths, tables and texts each
use another spelling. Only the functions here convert between them. Imports nothing slow.
"""

import math

_NONE_IN_PATHS = "none"


def snr_to_path(snr_db):
    """Spell an SNR (dB, or None) as the wildcard ``snr`` of paths."""
    return _NONE_IN_PATHS if snr_db is None else f"{snr_db:g}"


def snr_from_path(text):
    """Read the wildcard ``snr`` of a path: dB, or None."""
    return None if text == _NONE_IN_PATHS else float(text)


def snr_to_number(snr_db):
    """Convert an SNR (dB, or None) for a column of numbers or HDF5: None becomes NaN."""
    return math.nan if snr_db is None else float(snr_db)


def snr_from_number(number):
    """Read an SNR from a column of numbers or HDF5: dB, or None for NaN."""
    return None if number is None or math.isnan(number) else float(number)


def snr_name(snr_db):
    """Text for an SNR (dB, or None) in a heading."""
    return "as recorded" if snr_db is None else f"{snr_db:g} dB"


def snr_title(snr_db):
    """Text for an SNR (dB, or None) that stands alone, as above a panel of a figure."""
    return "clips as recorded" if snr_db is None else f"{snr_db:g} dB SNR"
