"""A training as in its job: clips, network, written files."""

import csv
import dataclasses

import numpy as np
import pytest
import torch
from toy_training import changed

from tfseg.features.feature_set import FeatureSet
from tfseg.training import system

SETTINGS = changed(
    iterations=4, learning_rate_decay=1.0, decay_every=10, history_every=2, state_every=2
)
DESCRIPTION = {
    "network": "gap",
    "classes": ["Bark", "Gong"],
    "features": {"n_mels": 13},
    "trunk": {
        "kind": "vgg",
        "vgg": {"widths": [4, 4], "dropout": 0.0},
        "background": False,
        "share_energy": False,
    },
    "pooling": {},
    "baselines": {},
}


@pytest.fixture
def clips(tiny_settings):
    """Eight clips, two of each kind and part."""
    rng = np.random.default_rng(0)
    return FeatureSet(
        logmel=rng.normal(-8, 1, (8, 12, 13)).astype(np.float16),
        target=np.array([[1, 0], [0, 1]] * 4, dtype=np.uint8),
        mixture=[f"m{i}" for i in range(8)],
        kind=["mixture", "mixture", "scene", "scene"] * 2,
        part=["train"] * 4 + ["validation"] * 4,
        mask_mixture=np.zeros(0, dtype=np.int64),
        mask_class=np.zeros(0, dtype=np.int64),
        mask_bits=np.zeros((0, 1), dtype=np.uint8),
        classes=("Bark", "Gong"),
        settings=tiny_settings.as_dict(),
    )


@pytest.mark.parametrize(
    ("kinds", "names"),
    [(None, ["m0", "m1", "m2", "m3"]), (["mixture"], ["m0", "m1"]), (["scene"], ["m2", "m3"])],
)
def test_clips_for_training_are_of_the_kinds_that_are_asked_for(clips, monkeypatch, kinds, names):
    monkeypatch.setattr(system, "load_features", lambda paths: clips)
    assert system.training_clips(["a.h5"], kinds).mixture == names


def _trained(clips, state, code="code", settings=SETTINGS, description=DESCRIPTION):
    network, history = system.train_system(
        description,
        clips,
        settings,
        seed=1,
        precision="float32",
        data_sha256="0" * 64,
        code_digest=code,
        state_path=state,
    )
    weights = {name: value.numpy().tobytes() for name, value in network.state_dict().items()}
    return weights, history


def test_a_training_goes_on_from_its_state_to_the_same_weights(clips, tmp_path, capsys):
    whole, history = _trained(clips, tmp_path / "whole.safetensors")
    assert [row[0] for row in history] == [2, 4]
    assert "this job trained for " in capsys.readouterr().out
    half = dataclasses.replace(SETTINGS, iterations=2)
    _trained(clips, tmp_path / "half.safetensors", settings=half)
    again, rows = _trained(clips, tmp_path / "half.safetensors")
    assert "resuming at iteration 2 of 4" in capsys.readouterr().out
    assert (again, rows) == (whole, history)


@pytest.mark.parametrize(
    "changed", [{"code": "other"}, {"description": DESCRIPTION | {"precision": "auto"}}]
)
def test_a_state_of_other_code_or_settings_is_not_used(clips, tmp_path, capsys, changed):
    _trained(clips, tmp_path / "state.safetensors")
    _trained(clips, tmp_path / "state.safetensors", **changed)
    assert "a saved state of other data or parameters" in capsys.readouterr().out


def test_a_class_that_teaches_nothing_is_said(clips, tmp_path, capsys):
    _trained(dataclasses.replace(clips, target=clips.target * [[1, 0]]), tmp_path / "state")
    assert "Gong: sounds in no clip" in capsys.readouterr().out


def test_the_network_computes_in_the_precision_that_is_asked_for(clips, tmp_path):
    network, _ = system.train_system(
        DESCRIPTION,
        clips,
        SETTINGS,
        seed=1,
        precision="bfloat16",
        data_sha256="",
        code_digest="",
        state_path=tmp_path / "state",
    )
    assert network.precision == "bfloat16"
    assert all(value.dtype == torch.float32 for value in network.parameters())


def test_a_history_is_read_back_as_it_was(tmp_path):
    history = [[2, 0.6931471805599453, 0.001], [4, 1 / 3, 0.0009]]
    system.write_history(tmp_path / "history.csv", history)
    with open(tmp_path / "history.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["iteration", "loss", "learning_rate"]
    assert [[int(r["iteration"]), float(r["loss"]), float(r["learning_rate"])] for r in rows] == (
        history
    )
