"""A finished small run of the workflow, for tests that look at results."""

import os

import pytest
from workflow_project import TINY, copy_project


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    # Snakemake keeps a cache in the home folder; tests must not need one that can be written.
    previous = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if previous is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = previous


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished run of the tiny experiment; tests may only look at it or make dry runs."""
    project = copy_project(tmp_path_factory.mktemp("finished") / "a folder", TINY)
    project.snakemake("--resources", "gpu=2")
    return project
