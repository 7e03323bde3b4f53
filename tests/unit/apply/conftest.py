"""The model of known answers."""

import pytest
from loud_bands import make_model


@pytest.fixture
def model(tmp_path):
    return make_model(tmp_path / "model")
