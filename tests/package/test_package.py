"""Wheel and sdist: their content, and their use outside the repository."""

import json
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from environments import Environment, closure, run

import tfseg

LIBRARY = Path(tfseg.__file__).parent
# Not needed to apply a model.
NOT_NEEDED = {"snakemake", "selenium", "onnx", "onnxruntime", "onnxscript", "sed_eval", "pytest"}
NOT_NEEDED |= {name.replace("_", "-") for name in NOT_NEEDED}  # as a module, and as a distribution


def test_the_wheel_holds_the_library_and_no_rules(built):
    names = set(zipfile.ZipFile(built.wheel).namelist())
    own = {name for name in names if ".dist-info/" not in name}
    expected = {
        f"tfseg/{path.relative_to(LIBRARY)}"
        for path in LIBRARY.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert own == expected
    assert {"tfseg/datasets/schemas/clips.schema.yaml", "tfseg/cli/main.py"} < own
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_sdist_holds_what_the_wheel_is_built_from(built):
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "workflow_scripts/tfseg/__init__.py"} < names
    scripts = {path.name for path in LIBRARY.parent.glob("*.py")}
    assert not {f"workflow_scripts/{name}" for name in scripts} & names


def test_both_carry_the_version_of_the_library(built):
    assert built.wheel.name == f"tfseg-{tfseg.__version__}-py3-none-any.whl"
    assert built.sdist.name == f"tfseg-{tfseg.__version__}.tar.gz"


def test_the_command_applies_a_model_outside_the_repository(fresh, outside):
    command = fresh.bin / "tfseg"
    assert run(command, "--version", folder=outside).stdout == f"tfseg {tfseg.__version__}\n"
    assert "8000 Hz" in run(command, "info", "model", folder=outside).stdout
    arguments = ("street.wav", "--model", "model", "--out", "found", "--precision", "float32")
    said = run(command, "apply", *arguments, folder=outside).stdout
    assert "Look at found/index.html" in said
    (folder,) = (outside / "found").glob("street-*")
    found = json.loads((folder / "about.json").read_text())
    model = tfseg.load_model(outside / "model", precision="float32")
    with tfseg.apply_model(model, outside / "street.wav") as applied:
        assert found["events"] == [vars(event) for event in applied.events] != []
    for name in ("page.html", "overview.png", "events.tsv", "separated/rest.wav"):
        assert (folder / name).stat().st_size > 0
    refused = run(command, "info", "street.wav", folder=outside, status=2)
    assert "street.wav: expected the folder of a trained model" in refused.stderr


def test_it_is_the_wheel_that_runs(fresh, outside):
    program = "import tfseg; print(tfseg.__file__)"
    place = run(fresh.bin / "python", "-c", program, folder=outside).stdout.strip()
    assert Path(place).is_relative_to(fresh.folder)


def test_an_editable_install_follows_the_sources(tmp_path, sources, outside):
    environment = Environment(tmp_path / "venv", closure(["setuptools"]).values())
    environment.install("--editable", sources)
    program = "import tfseg; print(tfseg.__file__)"
    place = run(environment.bin / "python", "-c", program, folder=outside).stdout.strip()
    assert Path(place) == sources / "workflow_scripts/tfseg/__init__.py"
    said = run(environment.bin / "tfseg", "--version", folder=outside).stdout
    assert said == f"tfseg {tfseg.__version__}\n"


def modules_after(python, outside, program):
    """Top-level modules that a program has loaded in the end."""
    program = f"import sys\n{program}\nprint(*sorted(m for m in sys.modules if '.' not in m))"
    lines = run(python, "-c", program, folder=outside).stdout.splitlines()
    return set(lines[-1].split())


def test_a_bare_installation_applies_a_model_without_pages(bare, outside):
    command, arguments = bare.bin / "tfseg", ("apply", "street.wav", "--model", "model")
    refused = run(command, *arguments, "--out", "found", "--page", folder=outside, status=2)
    assert "need matplotlib and PIL" in refused.stderr and "--no-page" in refused.stderr
    said = run(command, *arguments, "--out", "found", folder=outside).stdout.splitlines()
    assert sum("pip install 'tfseg[pages]'" in line for line in said) == 1
    assert len(list((outside / "found").glob("street-*/events.tsv"))) == 1
    assert not list((outside / "found").glob("street-*/page.html"))
    assert (outside / "found/index.html").is_file()
    refused = run(command, "export", "model", folder=outside, status=2)
    assert "pip install 'tfseg[onnx]'" in refused.stderr


@pytest.mark.parametrize("extras", [[], ["pages"]])
def test_what_is_not_needed_is_not_asked_for(metadata, extras):
    asked = set(closure(metadata, extras))
    assert "torch" in asked and not NOT_NEEDED & asked
    assert ("matplotlib" in asked) == bool(extras)


def test_the_command_loads_nothing_of_the_workflow(outside):
    # Of the environment that runs the tests, which has all of it.
    arguments = ["apply", "street.wav", "--model", "model", "--out", "found"]
    path = f"import sys; sys.path.insert(0, {str(LIBRARY.parent)!r})"
    program = f"{path}\nfrom tfseg.cli.main import main\nassert main({arguments}) == 0"
    loaded = modules_after(sys.executable, outside, program)
    assert {"torch", "matplotlib"} <= loaded and not NOT_NEEDED & loaded


@pytest.mark.parametrize(
    "program",
    ["import tfseg", "from tfseg import __version__", "import tfseg.cli.main", "dir(tfseg)"],
)
def test_importing_it_loads_no_library(fresh, outside, program):
    loaded = modules_after(fresh.bin / "python", outside, f"import tfseg\n{program}")
    assert not {"torch", "numpy", "pandas", "h5py", *NOT_NEEDED} & loaded


def test_every_public_name_is_there_and_no_other():
    for name in tfseg.__all__:
        assert getattr(tfseg, name) is not None, name
    assert set(tfseg.__all__) <= set(dir(tfseg))
    with pytest.raises(AttributeError, match="no attribute 'train'"):
        tfseg.train  # noqa: B018
    assert all(callable(getattr(tfseg.metrics, name)) for name in tfseg.metrics.__all__)
