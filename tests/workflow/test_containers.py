"""The image of the environment: two equal recipes, and no effect on runs without it."""

import re

import pytest
from workflow_project import REPOSITORY

pytestmark = pytest.mark.workflow


def _steps(path):
    """Base, installations, copies and commands of a recipe."""
    text = (REPOSITORY / path).read_text()
    return {
        "base": re.search(r"^F(?:ROM|rom:) (\S+)$", text, re.MULTILINE).group(1),
        "packages": re.search(r"--no-install-recommends ([a-z0-9 -]+)", text).group(1).split(),
        "files": set(re.findall(r"(?<!/)envs/\w+\.(?:py|lock)", text)),
        "run": re.search(r"PIP_NO_CACHE_DIR=1 (python3 .*)", text).group(1),
    }


def test_both_recipes_install_the_lock_as_make_setup_does():
    docker, apptainer = _steps("envs/Dockerfile"), _steps("envs/apptainer.def")
    assert docker == apptainer
    assert docker["run"] == "python3 /opt/tfseg/envs/install.py"
    assert docker["files"] == {"envs/install.py", "envs/requirements.lock"}


def test_an_image_that_is_not_asked_for_changes_no_run(finished):
    assert finished.planned("--config", "container=absent.sif") == {}
