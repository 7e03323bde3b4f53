"""The command `tfseg`: what it says, and how it refuses."""

import re
import sys

import numpy as np
import onnx
import pytest
import soundfile
from small_model import CLASSES, RESTRICTED, write_small_model

from tfseg import __version__
from tfseg.apply.settings import ApplySettings
from tfseg.cli.main import COMMANDS, main


@pytest.fixture
def folder(tmp_path):
    return write_small_model(tmp_path / "model")


@pytest.fixture
def refused(capsys):
    """Return a function that runs a command line that must be refused; gives its last line."""

    def run(*arguments):
        with pytest.raises(SystemExit) as error:
            main([*map(str, arguments)])
        assert error.value.code == 2
        return capsys.readouterr().err.splitlines()[-1]

    return run


@pytest.fixture
def without(monkeypatch):
    """Return a function that makes libraries look as if they were not installed."""
    find_spec = sys.modules["importlib.util"].find_spec

    def hide(*names):
        monkeypatch.setattr(
            "importlib.util.find_spec", lambda name, *_: None if name in names else find_spec(name)
        )

    return hide


def test_the_version_has_one_home(capsys):
    with pytest.raises(SystemExit) as error:
        main(["--version"])
    assert error.value.code == 0
    assert capsys.readouterr().out == f"tfseg {__version__}\n"


def test_help_names_every_command(capsys):
    for arguments in (["--help"], *([command, "--help"] for command in COMMANDS)):
        with pytest.raises(SystemExit) as error:
            main(arguments)
        text = capsys.readouterr().out
        assert error.value.code == 0
        assert text.startswith(f"usage: {' '.join(['tfseg', *arguments[:-1]])} [-h]")
        if arguments == ["--help"]:
            assert all(line in text for line in COMMANDS.values())
        else:
            assert "Exit status" in text and "DIR" in text


def test_wrong_commands_are_refused(refused):
    assert "COMMAND" in refused()
    assert "invalid choice: 'train'" in refused("train")


def test_info_says_what_the_model_is(folder, capsys):
    assert main(["info", str(folder)]) == 0
    text = capsys.readouterr().out
    for words in (
        r"system +mine\n",
        r"network +gap\n",
        r"masks +yes\n",
        rf"classes \(2\) +{', '.join(CLASSES)}\n",
        r"sample rate +8000 Hz",
        r"low_threshold +0\.1\n",
        r"high_threshold by class\n +Bark +0\.2\n +Chime +0\.3\n",
        r"held-out fold +1\n",
        r"data +corpus embedded, mixtures 7",
        rf"{RESTRICTED} +3 recordings\n",
        rf"Restricted, by their words: {RESTRICTED}",
    ):
        assert re.search(words, text), words


def test_info_prints_no_control_characters(tmp_path, folder, capsys):
    description = folder / "model.json"
    description.write_text(description.read_text().replace('"mine"', '"mi\\u001b[31mne"'))
    assert main(["info", str(folder)]) == 0
    assert "mi?[31mne" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["info", "export"])
def test_models_that_cannot_be_used_are_refused_by_name(tmp_path, folder, refused, command):
    assert f"{tmp_path / 'gone'}: expected the folder" in refused(command, tmp_path / "gone")
    (folder / "model.json").write_text("{}")
    assert "model.json: expected model format" in refused(command, folder)


def test_export_writes_a_graph(tmp_path, folder, capsys):
    path = tmp_path / "new folder" / "graph.onnx"
    assert main(["export", str(folder), "--out", str(path)]) == 0
    text = capsys.readouterr().out
    assert f"Wrote {path}" in text and "LICENCE: the weights of this model derive" in text
    assert [output.name for output in onnx.load(path).graph.output] == ["tags", "frames", "masks"]
    assert not (folder / "model.onnx").exists()


def test_export_refuses_what_it_cannot_do(tmp_path, refused, without):
    frames = write_small_model(tmp_path / "frames", "dnn")
    assert "only systems with masks" in refused("export", frames)
    assert list(frames.glob("*.onnx")) == []
    assert "found a folder" in refused("export", frames, "--out", tmp_path)
    without("onnx", "onnxscript")
    text = refused("export", frames)
    assert "onnx, onnxscript" in text and "pip install 'tfseg[onnx]'" in text


def test_pages_need_what_draws_and_nothing_else_does(tmp_path, folder, refused, without, capsys):
    without("matplotlib")
    path = tmp_path / "sound.wav"
    soundfile.write(path, np.zeros(8000), 8000)
    arguments = ["apply", str(path), "--model", str(folder), "--out", str(tmp_path / "out")]
    text = refused(*arguments, "--page")
    assert "matplotlib" in text and "pip install 'tfseg[pages]'" in text and "--no-page" in text
    assert not (tmp_path / "out").exists()
    assert main(arguments) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if "tfseg[pages]" in line]
    assert len(said) == 1 and said[0].startswith("no pages and no pictures are written")
    (found,) = (tmp_path / "out").glob("sound-*")
    assert (found / "events.tsv").is_file() and not (found / "page.html").exists()
    assert (tmp_path / "out/index.html").is_file()
    assert main([*arguments, "--no-page"]) == 0
    said = capsys.readouterr().out
    assert "done before" in said and "tfseg[pages]" not in said


def test_pages_are_written_where_they_can_be(tmp_path, folder, capsys):
    soundfile.write(tmp_path / "sound.wav", np.zeros(8000), 8000)
    arguments = ["apply", str(tmp_path / "sound.wav"), "--model", str(folder), "--out"]
    assert main([*arguments, str(tmp_path / "out")]) == 0
    assert len(list((tmp_path / "out").glob("sound-*/page.html"))) == 1
    assert "tfseg[pages]" not in capsys.readouterr().out


def test_the_config_repeats_the_defaults_of_the_command(full_config):
    configured = {key: value for key, value in full_config["apply"].items() if key != "threads"}
    assert ApplySettings(**configured) == ApplySettings()
    assert set(configured) == set(ApplySettings.__dataclass_fields__)
