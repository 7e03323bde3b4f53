"""A review of recordings whose loud bands are known."""

import pytest
import soundfile
from loud_bands import CLASSES, make_model, tones

from tfseg.apply.listing import Recording
from tfseg.review.folder import Review, ReviewSettings, locked, prepare

LOW, HIGH = CLASSES


@pytest.fixture(scope="session")
def recordings(tmp_path_factory):
    """Two recordings; in each, a low tone from 1 s and both tones from 7 s on."""
    folder = tmp_path_factory.mktemp("recordings")
    events = [(LOW, 1.0, 2.0), (LOW, 7.0, 9.0), (HIGH, 7.5, 8.5)]
    for name, n_channels in (("one.wav", 2), ("two.wav", 1)):
        samples = tones(events, 14.0, 16000, n_channels)
        soundfile.write(folder / name, samples, 16000, subtype="FLOAT")
    return [Recording(name, folder / name) for name in ("one.wav", "two.wav")]


@pytest.fixture(scope="session")
def review(recordings, tmp_path_factory):
    """Four stretches of them."""
    folder = tmp_path_factory.mktemp("review")
    models = [make_model(folder / "model")]
    settings = ReviewSettings(stretches=4, stretch_s=2.0)
    with locked(folder / "review"):
        prepare(folder / "review", recordings, models, settings, labelled=None)
    return Review(folder / "review")
