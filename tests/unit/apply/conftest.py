"""A model whose answers are known: a class is a band of frequencies that is loud."""

import numpy as np
import pytest
import torch
from torch import nn

from tfseg.apply.analysis import ApplySettings
from tfseg.detection import DetectionSettings
from tfseg.events import HysteresisSettings
from tfseg.features import FeatureSettings, Spectrograms
from tfseg.model_folder import DESCRIPTION, DETECTION, WEIGHTS, ModelFolder

FEATURES = {
    "sample_rate": 8000,
    "window_length": 512,
    "hop_length": 256,
    "n_mels": 16,
    "fmin_hz": 50.0,
    "fmax_hz": 4000.0,
    "log_offset": 1e-8,
    "ibm_criterion_db": -5.0,
}
# Two tones lie in the middle of one band each.
LOW_BAND, HIGH_BAND = 5, 12


class LoudBands(nn.Module):
    """Mask of class k: one where its bands are loud, zero elsewhere; the tag is the largest unit."""

    has_masks = True

    def __init__(self, bands, n_mels, threshold):
        super().__init__()
        self.register_buffer("weights", torch.zeros(len(bands), n_mels))
        for k, band in enumerate(bands):
            self.weights[k, band - 1 : band + 2] = 1
        self.threshold = threshold

    def forward(self, logmel):
        """Tags and masks."""
        loud = torch.sigmoid(4 * (logmel - self.threshold))[:, None]
        masks = loud * self.weights[None, :, None, :]
        return masks.amax(dim=(2, 3)), masks


@pytest.fixture(scope="session")
def features():
    return FeatureSettings(**FEATURES)


@pytest.fixture(scope="session")
def tone_hz(features):
    """Frequencies of the two classes' tones."""
    centres = Spectrograms(features).mel_hz
    return {"low tone": float(centres[LOW_BAND]), "high/tone": float(centres[HIGH_BAND])}


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for name in (WEIGHTS, DESCRIPTION, DETECTION):
        (folder / name).write_text(name)
    return ModelFolder(
        folder=folder,
        network=LoudBands([LOW_BAND, HIGH_BAND], FEATURES["n_mels"], -5.5).eval(),
        description={
            "system": "bands",
            "classes": ["low tone", "high/tone"],
            "features": FEATURES,
            "duration_s": 2.0,
            "resampler": "soxr_hq",
            "data": {"corpus": "embedded"},
        },
        detection=DetectionSettings(
            tag_threshold=0.1,
            tag_gate=True,
            frame_threshold=0.1,
            mask_threshold=0.3,
            postprocessing=HysteresisSettings(
                high_threshold=0.08, low_threshold=0.04, join_gap_frames=3, drop_frames=2
            ),
        ),
    )


@pytest.fixture
def settings():
    return ApplySettings(
        window_s=None,
        batch_size=4,
        block_s=60.0,
        level="as_recorded",
        sounds=True,
        page=True,
    )


@pytest.fixture(scope="session")
def tones(tone_hz):
    """Make a recording of faint noise with tones: list of (label, onset_s, offset_s)."""

    def make(events, duration_s, rate, n_channels=1, seed=0):
        rng = np.random.default_rng(seed)
        t = np.arange(round(duration_s * rate)) / rate
        samples = 1e-5 * rng.standard_normal((len(t), n_channels))
        for label, onset_s, offset_s in events:
            sounding = (t >= onset_s) & (t < offset_s)
            samples += (0.4 * np.sin(2 * np.pi * tone_hz[label] * t) * sounding)[:, None]
        return samples

    return make
