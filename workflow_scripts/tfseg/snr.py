"""The SNR of a mixture, and of clips that were not mixed here, which have none.

In Python "no SNR" is None. Paths, tables and texts for readers each spell it their own way; the
functions here are the only place that knows how. Imports nothing that is slow.
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
    """Give an SNR (dB, or None) the form that a column of numbers and HDF5 can hold: None is NaN."""
    return math.nan if snr_db is None else float(snr_db)


def snr_from_number(number):
    """Read an SNR from a column of numbers or from HDF5: dB, or None where there is no number."""
    return None if number is None or math.isnan(number) else float(number)


def snr_name(snr_db):
    """Text for an SNR (dB, or None) in a heading."""
    return "as recorded" if snr_db is None else f"{snr_db:g} dB"


def snr_title(snr_db):
    """Text for an SNR (dB, or None) that stands alone, as over a panel of a figure."""
    return "clips as recorded" if snr_db is None else f"{snr_db:g} dB SNR"
