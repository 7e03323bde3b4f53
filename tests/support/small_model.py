"""A small model folder like a trained one, with untrained weights."""

import torch

from tfseg.features.logmel import FeatureSettings
from tfseg.inference.events import EventSettings
from tfseg.inference.forward import save_model
from tfseg.inference.model_folder import DESCRIPTION, DETECTION, WEIGHTS
from tfseg.inference.operating_point import DetectionSettings, write_detection
from tfseg.models.systems import build_network

CLASSES = ("Bark", "Chime")
FEATURES = FeatureSettings(
    sample_rate=8000,
    window_length=256,
    hop_length=128,
    n_mels=16,
    fmin_hz=50.0,
    fmax_hz=4000.0,
    log_offset=1e-8,
    ibm_criterion_db=-5.0,
)
RESTRICTED = "CC BY-NC 4.0"


def write_small_model(folder, network="gap"):
    """Write the three files of a model folder.

    Parameters
    ----------
    folder : Path
        Made here.
    network : str
        A key of `tfseg.models.registry.systems`.

    Returns
    -------
    folder : Path
    """
    folder.mkdir(parents=True)
    trunk = {
        "kind": "vgg",
        "vgg": {"widths": [4, 4], "dropout": 0.0},
        "background": False,
        "share_energy": False,
    }
    baselines = {"dnn": {"widths": [8], "dropout": 0.0}}
    torch.manual_seed(3)
    built = build_network(
        network,
        n_classes=len(CLASSES),
        n_mels=FEATURES.n_mels,
        trunk_settings=trunk,
        pooling_settings={},
        baseline_settings=baselines,
    )
    built.band_mean.fill_(-8.0)
    description = {
        "system": "mine",
        "network": network,
        "classes": list(CLASSES),
        "features": FEATURES.as_dict(),
        "trunk": trunk,
        "pooling": {},
        "baselines": baselines,
        "training": {"iterations": 0},
        "trained_in": "float32",
        "snr_db": None,
        "held_out_fold": 1,
        "repeat": 0,
        "duration_s": 1.0,
        "resampler": "soxr_hq",
        "versions": {"tfseg": "0.1.0"},
        "data": {"corpus": "embedded", "mixtures": 7, "sha256": "0" * 64},
        "licences": {RESTRICTED: 3},
        "restricted": [RESTRICTED],
    }
    save_model(folder / WEIGHTS, folder / DESCRIPTION, built, description)
    events = EventSettings((0.2, 0.3), 0.1, 1, 1)
    write_detection(folder / DETECTION, DetectionSettings(0.1, True, 0.1, 0.1, events))
    return folder
