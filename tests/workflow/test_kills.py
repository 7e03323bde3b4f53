"""Killed runs: the next call completes them with the same bytes, without lost work."""

import os
import signal
import subprocess

import psutil
import pytest
from workflow_project import TWO_TRAININGS, wait_for

pytestmark = [pytest.mark.workflow, pytest.mark.full]
ITERATIONS = TWO_TRAININGS["training"]["iterations"]


def start(project, log=subprocess.DEVNULL):
    return subprocess.Popen(
        project.command("--until", "train_model", "--resources", "gpu=1", module="start"),
        cwd=project.folder,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def training_jobs(project):
    """Processes of train_model in this project, however they were started."""
    found = []
    for process in psutil.process_iter():
        try:
            here = process.cwd() == str(project.folder)
            if here and any("train_model" in part for part in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue  # it ended while we looked
    return found


def models(project):
    return list((project.folder / "results").rglob("model.safetensors"))


def test_everything_killed_in_the_second_training(before_training, trained):
    project = before_training()
    process = start(project)
    wait_for(lambda: len(models(project)) == 1 and len(project.saved_states()) == 2, process)
    os.killpg(process.pid, signal.SIGKILL)
    for job in training_jobs(project):
        job.kill()
    process.wait()
    (finished,) = models(project)
    written = finished.stat().st_mtime_ns
    result = project.snakemake("--until", "train_model", module="start")
    assert "resuming at iteration" in result.text
    assert finished.stat().st_mtime_ns == written, "a finished training was done again"
    assert project.result_bytes() == trained


def test_a_left_over_job_cannot_harm_the_next_run(tmp_path, before_training, trained):
    project = before_training()
    process = start(project)
    wait_for(lambda: project.saved_states(), process)
    process.kill()  # Snakemake alone: its training outlives it
    process.wait()
    orphans = training_jobs(project)
    assert orphans, "expected the training to outlive Snakemake"
    for job in orphans:
        job.suspend()  # so that it is surely still there when the next run wants its place
    output = tmp_path / "second.log"
    with output.open("w") as log:
        second = start(project, log)
    wait_for(lambda: "waiting for a job of an earlier run" in output.read_text(), second)
    for job in orphans:
        job.resume()
    assert second.wait(timeout=300) == 0, output.read_text()
    assert f"resuming at iteration {ITERATIONS} of {ITERATIONS}" in output.read_text()
    assert project.result_bytes() == trained
    assert training_jobs(project) == []


def test_a_living_run_is_not_disturbed(before_training):
    project = before_training()
    process = start(project)
    locks = project.folder / ".snakemake" / "locks"
    try:
        wait_for(lambda: locks.is_dir() and any(locks.iterdir()), process)
        result = project.snakemake(check=False, module="start")
        assert result.returncode != 0
        assert "another Snakemake is running" in result.text
        assert any(locks.iterdir())
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
