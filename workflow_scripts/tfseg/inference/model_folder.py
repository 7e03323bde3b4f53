"""A trained model as a folder that can be copied: all that its use needs, and its origin."""

import platform
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tfseg import __version__
from tfseg.errors import DamagedFileError, DataError
from tfseg.inference.forward import load_model
from tfseg.inference.operating_point import DetectionSettings, read_detection
from tfseg.io.files import file_sha256
from tfseg.models.weights_fit import DESCRIPTION, WEIGHTS

DETECTION = "detection.json"
# Longest clip length that is recorded for ready clips of different lengths.
_LONGEST_CLIP_S = 30.0
_NEEDED = ("duration_s", "resampler", "versions", "data", "licences", "restricted")


@dataclass(frozen=True)
class ModelFolder:
    """A trained model, ready to be used.

    Attributes
    ----------
    folder : Path
    network : tfseg.models.systems.MaskNetwork or FrameNetwork
        In evaluation mode.
    description : dict
        ``model.json`` (``docs/reference/model_folder.md``).
    detection : tfseg.inference.operating_point.DetectionSettings
    """

    folder: Path
    network: nn.Module
    description: dict
    detection: DetectionSettings

    @property
    def classes(self):
        """Class labels, in column order."""
        return tuple(self.description["classes"])

    @property
    def system(self):
        """Name of the system that was trained."""
        return self.description["system"]

    @cached_property
    def sha256(self):
        """Digest of the three files that decide what the model finds."""
        return file_sha256([self.folder / name for name in (WEIGHTS, DESCRIPTION, DETECTION)])

    @property
    def duration_s(self):
        """Length of a clip in training, in seconds."""
        return self.description["duration_s"]

    @property
    def resampler(self):
        """Resampler of `tfseg.io.audio`."""
        return self.description["resampler"]

    @cached_property
    def settings(self):
        """The T-F representation: `tfseg.features.logmel.FeatureSettings`."""
        # Imported here: training and inference use this module without audio libraries.
        from tfseg.features.logmel import FeatureSettings

        try:
            return FeatureSettings(**self.description["features"])
        except TypeError as error:
            raise DamagedFileError(f"{self.folder / DESCRIPTION}: key features: {error}") from None


def training_facts(data, sha256, corpus, mixing, excerpt_s):
    """Collect the facts for ``model.json`` that training fixes in addition to the network.

    Parameters
    ----------
    data : tfseg.features.feature_set.FeatureSet
        The training data.
    sha256 : str
        Digest of its files (`tfseg.io.files.file_sha256`).
    corpus : str
        ``corpus.kind`` of the config.
    mixing : dict
        ``resampler``, and ``duration_s`` unless the clips are ready ones.
    excerpt_s : float or None
        Length of the excerpts that were trained on; None: whole clips.

    Returns
    -------
    facts : dict
        ``duration_s`` is the length of a training clip or excerpt. Ready clips differ in length;
        for them it is the length of the longest, and at most 30 s.
    """
    longest_s = max(len(clip) for clip in data.logmel) * data.grid.hop_s
    duration_s = mixing.get("duration_s", min(longest_s, _LONGEST_CLIP_S))
    return {
        "duration_s": min(duration_s, excerpt_s or duration_s),
        "resampler": mixing["resampler"],
        "standardisation": "band_mean and band_std in model.safetensors: (log-mel - mean) / std",
        "data": {"corpus": corpus, "mixtures": len(data.mixture), "sha256": sha256},
        "versions": {
            "tfseg": __version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def load_model_folder(folder, device="cpu"):
    """Load a trained model from its folder.

    Parameters
    ----------
    folder : path-like
        With ``model.safetensors``, ``model.json`` and ``detection.json``. Nothing in it is
        unpickled or executed.
    device : str

    Returns
    -------
    model : ModelFolder

    Raises
    ------
    DataError
        When the folder or one of the files is missing.
    DamagedFileError
        When a file is damaged or incomplete, or weights and description do not fit each other.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: expected the folder of a trained model, found none")
    missing = [n for n in (WEIGHTS, DESCRIPTION, DETECTION) if not (folder / n).is_file()]
    if missing:
        raise DataError(f"{folder}: expected a trained model, found no {', no '.join(missing)}")
    network, description = load_model(folder / WEIGHTS, folder / DESCRIPTION, device)
    missing = [key for key in _NEEDED if key not in description]
    if missing:
        raise DamagedFileError(
            f"{folder / DESCRIPTION}: expected a model of this version of tfseg, found none of: "
            f"{', '.join(missing)}"
        )
    detection = read_detection(folder / DETECTION, len(description["classes"]))
    return ModelFolder(folder, network, description, detection)
