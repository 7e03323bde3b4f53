"""A cluster of one node for the tests here, and the runs that they compare."""

import warnings

import pytest
from one_node_slurm import ask_often, obstacle, one_node_slurm
from workflow_project import TINY, copy_project


@pytest.fixture(scope="session")
def slurm():
    """Folder of the cluster's own files; the tests are skipped if it cannot start."""
    reason = obstacle()
    if reason:
        warnings.warn(f"the cluster tests were skipped: {reason}", stacklevel=1)
        pytest.skip(reason)
    with one_node_slurm() as folder:
        yield folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Overlays of the tiny experiment at one SNR, with one system: every stage, two trainings."""
    path = tmp_path_factory.mktemp("overlay") / "overlay.yaml"
    path.write_text("systems: [gwrp]\nmixing: {snr_db: [0], shard_size: 12}\n")
    return [*TINY, path]


@pytest.fixture(scope="session")
def new_project(tmp_path_factory):
    """Return a function that copies the workflow into a folder of its own."""
    return lambda overlays: ask_often(
        copy_project(tmp_path_factory.mktemp("run") / "a folder", overlays)
    )


@pytest.fixture(scope="session")
def before_training(before_training):
    """Return a function that copies a run that stopped before two trainings."""
    return lambda: ask_often(before_training())
