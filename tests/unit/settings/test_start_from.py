"""A model to start from is checked before anything runs; so is what TensorBoard needs."""

import copy
import json
import sys

import pytest

from tfseg.errors import ConfigError
from tfseg.settings.checks import check_config


@pytest.fixture
def start(tmp_path, mini_config):
    """Return a function that writes a model of the miniature, changed; gives a config with it."""

    def write(**features):
        folder = tmp_path / "model"
        folder.mkdir()
        (folder / "model.safetensors").touch()
        model = {
            "network": "gwrp",
            "features": mini_config["features"] | features,
            "trunk": mini_config["trunk"],
            "baselines": mini_config["baselines"],
        }
        (folder / "model.json").write_text(json.dumps(model))
        config = copy.deepcopy(mini_config)
        config["systems"] = ["gwrp"]
        config["comparison"]["reference"] = None
        config["training"]["start_from"] = str(folder)
        return config

    return write


def message(config):
    with pytest.raises(ConfigError) as caught:
        check_config(config)
    return str(caught.value)


def test_a_model_of_the_same_kind_is_accepted(start):
    check_config(start())


def test_another_rate_is_refused_with_the_reason_and_the_remedy(start):
    config = start(sample_rate=44100)
    words = message(config)
    assert "config key training.start_from of gwrp: the weights of" in words
    assert f"features.sample_rate is {config['features']['sample_rate']} here, and 44100" in words
    assert "start_from: null" in words


def test_every_system_is_checked(start):
    config = start()
    config["systems"] = ["gwrp", "unet"]
    words = message(config)
    assert "of unet" in words and "trunk.kind is unet here, and vgg there" in words
    assert "of gwrp" not in words
    config["variants"]["unet"]["training"]["start_from"] = None
    check_config(config)


def test_a_missing_or_foreign_model_is_named(start, tmp_path):
    config = start()
    (tmp_path / "model/model.json").write_text("{}")
    assert "model.json: expected a model of this version" in message(config)
    (tmp_path / "model/model.json").unlink()
    assert "expected the folder of a trained model, found no" in message(config)


def test_tensorboard_is_asked_for_before_a_job_needs_it(mini_config, monkeypatch):
    find_spec = sys.modules["importlib.util"].find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name, *_: None if name == "tensorboard" else find_spec(name),
    )
    check_config(mini_config)
    config = copy.deepcopy(mini_config)
    config["training"]["tensorboard"] = True
    assert "config key training.tensorboard" in message(config)
    assert "pip install" in message(config)
