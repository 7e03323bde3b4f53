import dataclasses
import shutil

import numpy as np
import pytest
import torch

from tfseg.errors import DamagedFileError, DataError
from tfseg.features.feature_set import FeatureSet
from tfseg.inference.events import EventSettings
from tfseg.inference.forward import save_model
from tfseg.inference.model_folder import load_model_folder, training_facts
from tfseg.inference.operating_point import DetectionSettings, write_detection
from tfseg.io.files import read_json, write_json

DETECTION = DetectionSettings(0.1, True, 0.1, 0.1, EventSettings(0.2, 0.1, 10, 10))


@pytest.fixture
def features(tiny_settings):
    return FeatureSet(
        logmel=[np.zeros((n, 13), dtype=np.float16) for n in (200, 500, 300)],
        target=np.zeros((3, 3), dtype=np.uint8),
        mixture=["a", "b", "c"],
        kind=["clip"] * 3,
        part=["train"] * 3,
        mask_mixture=np.zeros(0, dtype=np.int64),
        mask_class=np.zeros(0, dtype=np.int64),
        mask_bits=np.zeros((0, 1), dtype=np.uint8),
        classes=("Bark", "Chime", "Gong"),
        settings=tiny_settings.as_dict(),
    )


def _facts(features, duration_s=None, excerpt_s=None):
    mixing = {"resampler": "soxr_vhq"} | ({"duration_s": duration_s} if duration_s else {})
    return training_facts(
        features, sha256="0" * 64, corpus="clips", mixing=mixing, excerpt_s=excerpt_s
    )


@pytest.fixture
def folder(tmp_path, build_tiny, features, tiny_settings):
    """A model folder with moved weights and standardisation."""
    torch.manual_seed(0)
    network = build_tiny("gwrp")
    network.band_mean.uniform_(-9, 0)
    network.band_std.uniform_(1, 3)
    description = {
        "system": "gwrp",
        "network": "gwrp",
        "classes": list(features.classes),
        "features": tiny_settings.as_dict(),
        "trunk": {
            "kind": "vgg",
            "vgg": {"widths": [4, 4], "dropout": 0.0},
            "background": False,
            "share_energy": False,
        },
        "pooling": {"gwrp": {"r": 0.99, "reference_units": 100}},
        "baselines": {},
        "licences": {"CC0": 3},
        "restricted": [],
        **_facts(features, 1.5),
    }
    path = tmp_path / "model"
    save_model(path / "model.safetensors", path / "model.json", network, description)
    write_detection(path / "detection.json", DETECTION)
    return path


def test_a_folder_works_wherever_it_is_copied_to(folder, tmp_path, tiny_settings):
    first = load_model_folder(folder)
    moved = shutil.copytree(folder, tmp_path / "somewhere else" / "model of mine")
    shutil.rmtree(folder)
    second = load_model_folder(moved)
    assert second.classes == ("Bark", "Chime", "Gong")
    assert second.settings == tiny_settings
    assert second.detection == DETECTION
    assert (second.duration_s, second.resampler) == (1.5, "soxr_vhq")
    assert not second.network.training
    logmel = torch.randn(2, 9, 13)
    with torch.inference_mode():
        for one, two in zip(first.network(logmel), second.network(logmel), strict=True):
            assert torch.equal(one, two)


def test_the_length_of_a_clip_is_that_of_training(features):
    assert _facts(features, 10.0)["duration_s"] == 10.0
    assert _facts(features, 10.0, excerpt_s=4.0)["duration_s"] == 4.0
    assert _facts(features, 10.0, excerpt_s=40.0)["duration_s"] == 10.0
    # The longest of the ready clips, 500 frames of 16 ms; and no more than 30 s.
    assert _facts(features)["duration_s"] == 8.0
    long = dataclasses.replace(features, logmel=[np.zeros((5000, 13), dtype=np.float16)])
    assert _facts(long)["duration_s"] == 30.0


@pytest.mark.parametrize("name", ["model.safetensors", "model.json", "detection.json"])
def test_what_is_missing_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(DataError, match=f"model: expected a trained model, found no {name}$"):
        load_model_folder(folder)


def test_no_folder_is_said(tmp_path):
    with pytest.raises(DataError, match="nowhere: expected the folder of a trained model"):
        load_model_folder(tmp_path / "nowhere")


@pytest.mark.parametrize("key", ["classes", "pooling", "weights_sha256", "duration_s", "versions"])
def test_a_missing_key_is_named(folder, key):
    description = read_json(folder / "model.json")
    del description[key]
    write_json(folder / "model.json", description)
    with pytest.raises(DamagedFileError, match=rf"model\.json: .*found none of: {key}$"):
        load_model_folder(folder)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("classes", ["Bark"], "does not fit"),  # another number of masks
        ("network", "transformer", r"cannot build \(KeyError: 'transformer'\)"),
        (
            "trunk",
            {"kind": "vgg", "vgg": {"width": [4]}, "background": False, "share_energy": False},
            "cannot build .*width",
        ),
        ("weights_sha256", "0" * 64, "describes weights with the digest 000"),
        ("format", 7, "expected model format 2, found 7"),
    ],
)
def test_a_description_that_does_not_fit_the_weights_is_refused(folder, key, value, says):
    description = read_json(folder / "model.json") | {key: value}
    write_json(folder / "model.json", description)
    with pytest.raises(DamagedFileError, match=rf"(?s)model\.json.*{says}|{says}.*model\.json"):
        load_model_folder(folder)


def test_features_of_another_version_are_named(folder):
    description = read_json(folder / "model.json")
    del description["features"]["hop_length"]
    write_json(folder / "model.json", description)
    with pytest.raises(DamagedFileError, match=r"model\.json: key features: .*hop_length"):
        _ = load_model_folder(folder).settings


def test_weights_are_never_unpickled(folder):
    torch.save({"weights": torch.zeros(3)}, folder / "model.safetensors")
    with pytest.raises(DamagedFileError, match=r"model\.safetensors: .*damaged"):
        load_model_folder(folder)
