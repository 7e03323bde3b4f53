"""The workflow used from another folder: as a module, and as snakedeploy writes it there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from workflow_project import REPOSITORY, TINY, Project, copy_project

import tfseg

pytestmark = pytest.mark.workflow

MODULE = """
configfile: "{config}"


module tfseg:
    snakefile:
        "{snakefile}"
    config:
        config


use rule * from tfseg
"""
HOSTED = "https://github.com/someone/tfseg"
TAG = f"v{tfseg.__version__}"


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """The workflow in its own folder, with the demo's configuration."""
    return copy_project(tmp_path_factory.mktemp("here") / "tfseg", TINY[:1])


@pytest.fixture
def elsewhere(tmp_path):
    """Return a function that makes a folder whose Snakefile uses one of the two as a module."""

    def make(snakefile, overlays=()):
        folder = tmp_path / "elsewhere"
        folder.mkdir()
        shutil.copy(TINY[0], folder / "demo.yaml")
        text = MODULE.format(config="demo.yaml", snakefile=snakefile)
        (folder / "Snakefile").write_text(text, encoding="utf-8")
        return Project(folder, overlays)

    return make


@pytest.mark.parametrize("name", ["Snakefile", "workflow/Snakefile"])
def test_a_module_plans_what_the_workflow_plans(here, elsewhere, name):
    planned = elsewhere(here.folder / name).planned()
    planned.pop("everything", None)
    assert planned == here.planned()
    assert planned["train_model"] == 24


def test_a_module_is_told_of_a_bad_config_as_the_workflow_is(here, elsewhere, tmp_path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("training: {iteratons: 5}\n", encoding="utf-8")
    result = elsewhere(here.folder / "Snakefile", [overlay]).snakemake(check=False)
    assert result.returncode != 0
    assert "did you mean 'iterations'" in result.text and "Traceback" not in result.text


def test_jobs_of_a_module_run_in_the_other_folder(elsewhere, finished):
    project = elsewhere(finished.folder / "Snakefile", TINY[1:])
    project.snakemake("--cores", "2", "--until", "plan_mixtures")
    made = project.result_bytes()
    assert "tiny/mixtures/events.csv" in made
    expected = finished.result_bytes()
    assert made == {name: expected[name] for name in made}


@pytest.fixture
def deployed(tmp_path, monkeypatch):
    """What snakedeploy writes into an empty folder; the git host is a folder of this machine."""
    origin = tmp_path / "origin"
    copy_project(origin)
    shutil.copy(REPOSITORY / "LICENSE", origin)
    shutil.copy(REPOSITORY / ".gitignore", origin)
    identity = ("-c", "user.name=a", "-c", "user.email=a@localhost")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"], ["tag", TAG]):
        subprocess.run(["git", *identity, *command], cwd=origin, check=True)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{origin.as_uri()}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", HOSTED)
    # Clones of the host, which another test's host of the same name must not find.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    program = Path(sys.executable).with_name("snakedeploy")
    folder = tmp_path / "deployed"
    subprocess.run(
        [program, "deploy-workflow", HOSTED, folder, "--tag", TAG],
        check=True, capture_output=True, cwd=tmp_path, env=dict(os.environ),
    )  # fmt: skip
    return Project(folder, TINY[1:])


@pytest.mark.full
def test_what_snakedeploy_writes_runs_the_demo(deployed, here, finished):
    demo = Project(deployed.folder).planned()
    assert demo.pop("everything") == 1
    assert demo == here.planned()
    # The rest in small, up to the scores of models: the same bytes as in the workflow's own folder.
    # What comes after them is planned above, and runs as rules of the same files do.
    deployed.snakemake("--resources", "gpu=2", "--until", "infer_scores")
    made, expected = deployed.result_bytes(), finished.result_bytes()
    assert "tiny/scores/snr10/gwrp/fold1/seed0/scores.h5" in made
    assert made == {name: expected[name] for name in made}
    assert "infer_scores" not in deployed.planned()
