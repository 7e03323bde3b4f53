"""A model with known outputs: a class is a loud frequency band."""

import numpy as np
import torch
from torch import nn

from tfseg.apply.settings import ApplySettings
from tfseg.features.logmel import FeatureSettings, Spectrograms
from tfseg.inference.events import EventSettings
from tfseg.inference.model_folder import DESCRIPTION, DETECTION, WEIGHTS, ModelFolder
from tfseg.inference.operating_point import DetectionSettings

FEATURES = FeatureSettings(
    sample_rate=8000,
    window_length=512,
    hop_length=256,
    n_mels=16,
    fmin_hz=50.0,
    fmax_hz=4000.0,
    log_offset=1e-8,
    ibm_criterion_db=-5.0,
)
# Labels are text, whatever they look like.
CLASSES = ["low tone", "high/<i>tone</i>"]
BANDS = [5, 12]
LOUD = -5.5  # log-mel: above it only the tone's own band
TONE_HZ = dict(zip(CLASSES, Spectrograms(FEATURES).mel_hz[BANDS].tolist(), strict=True))
SETTINGS = ApplySettings(
    window_s=None, batch_size=4, block_s=60.0, level="as_recorded", sounds=True, page=True
)


class LoudBands(nn.Module):
    """Mask of class k: one where its bands are loud, zero elsewhere; the tag is the largest unit."""

    has_masks = True

    def __init__(self):
        super().__init__()
        self.register_buffer("weights", torch.zeros(len(BANDS), FEATURES.n_mels))
        for k, band in enumerate(BANDS):
            self.weights[k, band - 1 : band + 2] = 1
        # As if trained on clips of such a log-mel spectrum.
        self.register_buffer("band_mean", torch.full((FEATURES.n_mels,), -15.5))
        self.register_buffer("band_std", torch.full((FEATURES.n_mels,), 2.0))

    def forward(self, logmel):
        """Tags and masks."""
        loud = torch.sigmoid(4 * (logmel - LOUD))[:, None]
        masks = loud * self.weights[None, :, None, :]
        return masks.amax(dim=(2, 3)), masks


class LoudFrames(LoudBands):
    """The same without masks: frame scores."""

    has_masks = False

    def forward(self, logmel):
        """Tags and frame scores."""
        tags, masks = super().forward(logmel)
        return tags, masks.mean(dim=3)


def make_model(folder, network=None):
    """Make the model, with files in its folder for a digest."""
    folder.mkdir(parents=True)
    for name in (WEIGHTS, DESCRIPTION, DETECTION):
        (folder / name).write_text(name)
    return ModelFolder(
        folder=folder,
        network=(network or LoudBands()).eval(),
        description={
            "system": "bands",
            "classes": CLASSES,
            "features": FEATURES.as_dict(),
            "duration_s": 2.0,
            "resampler": "soxr_hq",
            "data": {"corpus": "embedded"},
        },
        detection=DetectionSettings(
            tag_threshold=0.1,
            tag_gate=True,
            frame_threshold=0.1,
            mask_threshold=0.3,
            postprocessing=EventSettings(
                high_threshold=0.05, low_threshold=0.03, join_gap_frames=3, drop_frames=2
            ),
        ),
    )


def tones(events, duration_s, rate, n_channels=1):
    """Make a recording of faint noise with tones: list of (label, onset_s, offset_s)."""
    t = np.arange(round(duration_s * rate)) / rate
    samples = 1e-5 * np.random.default_rng(0).standard_normal((len(t), n_channels))
    for label, onset_s, offset_s in events:
        sounding = (t >= onset_s) & (t < offset_s)
        samples += (0.4 * np.sin(2 * np.pi * TONE_HZ[label] * t) * sounding)[:, None]
    return samples
