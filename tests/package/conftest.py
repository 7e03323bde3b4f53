"""The package as users get it: built once, installed into a separate environment."""

import email
import shutil
import sys
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from environments import Environment, closure, pip, run
from small_model import write_small_model


@pytest.fixture(scope="session")
def sources(tmp_path_factory, repository):
    """A copy of the package's sources: a build leaves files beside them."""
    folder = tmp_path_factory.mktemp("sources") / "tfseg"
    folder.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(repository / name, folder)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(repository / "workflow_scripts", folder / "workflow_scripts", ignore=ignored)
    return folder


@pytest.fixture(scope="session")
def built(tmp_path_factory, sources):
    """Paths of the sdist, and of the wheel that is built from nothing but the sdist."""
    folder = tmp_path_factory.mktemp("built")
    program = f"from setuptools import build_meta as b; b.build_sdist({str(folder)!r})"
    run(sys.executable, "-c", program, folder=sources)
    (sdist,) = folder.glob("*.tar.gz")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder)
    pip("wheel", *options, sdist, folder=folder)
    (wheel,) = folder.glob("*.whl")
    return SimpleNamespace(sdist=sdist, wheel=wheel)


@pytest.fixture(scope="session")
def metadata(built):
    """What the wheel requires, line by line."""
    with zipfile.ZipFile(built.wheel) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        text = wheel.read(name).decode()
    return email.message_from_string(text).get_all("Requires-Dist")


@pytest.fixture(scope="session")
def bare(tmp_path_factory, built, metadata):
    """A fresh environment with the wheel and what it requires."""
    environment = Environment(tmp_path_factory.mktemp("bare") / "venv", closure(metadata).values())
    environment.install(built.wheel)
    return environment


@pytest.fixture(scope="session")
def fresh(tmp_path_factory, built, metadata):
    """A fresh environment with the wheel, what it requires, and the extra ``pages``."""
    environment = Environment(
        tmp_path_factory.mktemp("fresh") / "venv", closure(metadata, ["pages"]).values()
    )
    environment.install(built.wheel)
    return environment


@pytest.fixture
def outside(tmp_path):
    """A folder outside of the repository with a model and a sound."""
    write_small_model(tmp_path / "model")
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "street.wav", 0.1 * rng.standard_normal(3 * 8000), 8000)
    return tmp_path
