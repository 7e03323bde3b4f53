import math

import pytest

from tfseg.snr import (
    snr_from_number,
    snr_from_path,
    snr_name,
    snr_title,
    snr_to_number,
    snr_to_path,
)


@pytest.mark.parametrize(
    ("snr_db", "in_path"), [(None, "none"), (0.0, "0"), (-5.0, "-5"), (2.5, "2.5")]
)
def test_an_snr_comes_back_from_a_path_and_from_a_column(snr_db, in_path):
    assert snr_to_path(snr_db) == in_path
    assert snr_from_path(in_path) == snr_db
    number = snr_to_number(snr_db)
    assert isinstance(number, float)
    assert math.isnan(number) == (snr_db is None)
    assert snr_from_number(number) == snr_db


def test_readers_are_told_in_words():
    assert (snr_name(None), snr_title(None)) == ("as recorded", "clips as recorded")
    assert (snr_name(-5.0), snr_title(-5.0)) == ("-5 dB", "-5 dB SNR")
