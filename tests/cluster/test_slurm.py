"""The workflow on a real one-node Slurm: same bytes, one GPU job at a time, nothing lost."""

import datetime
import functools
import itertools
import re
import signal
import subprocess
import sys

import psutil
import pytest
import workflow_project
from one_node_slurm import THROUGH_SLURM, ended_jobs

TRAININGS = ("--until", "train_model")
wait_for = functools.partial(workflow_project.wait_for, seconds=500)


@pytest.fixture(scope="module")
def finished(slurm, new_project, tiny):
    """The tiny experiment, run through Slurm to its report; `local` is the same without Slurm."""
    project, local = new_project(tiny), new_project(tiny)
    log = local.folder / "run.log"
    with log.open("w") as stream:
        alone = subprocess.Popen(
            local.command("--resources", "gpu=2"), cwd=local.folder, stdout=stream, stderr=stream
        )
    project.text = project.snakemake(*THROUGH_SLURM).text
    assert alone.wait(timeout=500) == 0, log.read_text()[-6000:]
    project.local = local
    return project


@pytest.fixture
def start():
    """Return a function that starts two trainings through Slurm; none outlives its test."""
    runs = []

    def start_run(project, log, *arguments, module="snakemake"):
        with log.open("w") as stream:
            run = subprocess.Popen(
                project.command(*THROUGH_SLURM, *TRAININGS, *arguments, module=module),
                cwd=project.folder,
                stdout=stream,
                stderr=stream,
            )
        runs.append(run)
        return run

    yield start_run
    for run in runs:
        run.kill()
        run.wait()
    subprocess.run(["scancel", "--user=root"], check=True)


def trainings_at_work(project):
    """Processes of the script train_model that have saved a state: fold to process."""
    found = {}
    for process in psutil.process_iter():
        try:
            here = process.cwd() == str(project.folder)
            if here and process.cmdline()[-1].endswith("train_model.py"):
                logs = [f.path for f in process.open_files() if "/logs/train_model/" in f.path]
                folds = re.findall(r"fold(\d)", " ".join(logs))
                found |= {int(fold): process for fold in folds}
        except (psutil.Error, IndexError):
            continue  # it ended while we looked
    saved = {int(path.parent.name.removeprefix("fold")) for path in project.saved_states()}
    return {fold: process for fold, process in found.items() if fold in saved}


def running_jobs():
    text = subprocess.check_output(["squeue", "-h", "-t", "RUNNING", "-o", "%i"], text=True)
    return text.split()


def test_outputs_equal_a_local_run_byte_for_byte(finished):
    through_slurm = finished.result_bytes()
    assert "tiny/tables/mask_by_class.md" in through_slurm
    assert through_slurm == finished.local.result_bytes()


def test_one_gpu_job_ran_at_a_time(slurm, finished):
    jobs = [job for job in ended_jobs(slurm, finished.folder) if job["Partition"] == "gpu"]
    assert len(jobs) == 4  # a training, and an inference with its events, of each fold
    times = sorted(
        tuple(datetime.datetime.fromisoformat(job[key]) for key in ("StartTime", "EndTime"))
        for job in jobs
    )
    for (_, end), (next_start, _) in itertools.pairwise(times):
        assert end <= next_start


def test_short_jobs_share_a_job_of_slurm(slurm, finished):
    jobs = ended_jobs(slurm, finished.folder)
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    n_steps = len(re.findall(r"Finished jobid: \d+ \(Rule: (?!all)", finished.text))
    # One for the corpus, one for two shards, four with a GPU, one for the metrics of a system,
    # two for the separation of a fold, two for examples, one for tables, figures and report; the
    # two model cards are made where Snakemake runs.
    assert (len(jobs), n_steps) == (12, 35)


def test_a_job_computes_on_the_device_that_slurm_gave(slurm, tmp_path, repository):
    code = (
        f"import sys; sys.path.insert(0, {str(repository / 'workflow_scripts')!r})\n"
        "import torch; from tfseg.job.hardware import choose_device\n"
        "torch.cuda.is_available = lambda: True\n"
        "torch.cuda.device_count = lambda: 1\n"
        "torch.cuda.get_device_name = lambda device: 'a GPU'\n"
        "torch.cuda.set_device = lambda device: None\n"
        "print(choose_device(1))\n"
    )
    (tmp_path / "job.sh").write_text(f"#!/bin/sh\nexec {sys.executable} job.py\n")
    (tmp_path / "job.py").write_text(code)
    subprocess.run(
        ["sbatch", "--wait", "--gpus=1", "--mem=2000", "--output=job.log", "job.sh"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    assert (tmp_path / "job.log").read_text().splitlines() == [
        "device: cuda:0, a GPU (of CUDA_VISIBLE_DEVICES=0)",
        "cuda:0",
    ]


def test_jobs_that_are_cancelled_or_die_are_done_again(
    slurm, start, before_training, trained, tmp_path
):
    project = before_training()
    run = start(project, tmp_path / "run.log")
    wait_for(lambda: trainings_at_work(project), run)
    (cancelled_fold,) = trainings_at_work(project)
    (cancelled,) = running_jobs()
    subprocess.run(["scancel", cancelled], check=True)
    # The other fold's training is next, and ends as if out of memory.
    wait_for(lambda: set(trainings_at_work(project)) - {cancelled_fold}, run)
    (victim,) = trainings_at_work(project).values()
    (died,) = running_jobs()
    victim.kill()
    assert run.wait(timeout=500) == 0, (tmp_path / "run.log").read_text()[-6000:]
    text = (tmp_path / "run.log").read_text()
    assert text.count("Trying to restart job") == 2
    for job, state in ((cancelled, "CANCELLED"), (died, "FAILED")):
        assert re.search(rf"SLURM-job '{job}' failed, SLURM status is: '{state}", text), text[
            -6000:
        ]
    assert project.result_bytes() == trained


def test_a_job_that_fails_for_good_is_reported_with_its_log(
    slurm, start, before_training, trained, tmp_path
):
    project = before_training()
    run = start(project, tmp_path / "run.log", "--retries", "0")
    wait_for(lambda: trainings_at_work(project), run)
    ((fold, victim),) = trainings_at_work(project).items()
    (died,) = running_jobs()
    victim.kill()
    assert run.wait(timeout=500) == 1
    text = (tmp_path / "run.log").read_text()
    log = f"results/tiny/logs/train_model/snr0-gwrp-fold{fold}-seed0.log"
    assert f"log: {log} (check log file(s) for error details)" in text
    assert (
        f"tfseg 0.1.0, rule train_model, {{'snr': '0', 'system': 'gwrp', 'fold': '{fold}'" in text
    )
    assert f"/{died}.log" in text
    # The other training was not stopped, and this one resumes from its state.
    again = project.snakemake(*THROUGH_SLURM, *TRAININGS)
    assert len(re.findall(r"Finished jobid: \d+ \(Rule: train_model", again.text)) == 1
    assert "resuming at iteration" in (project.folder / log).read_text()
    assert project.result_bytes() == trained


def test_a_run_that_was_killed_is_finished_by_the_next_call(
    slurm, start, before_training, trained, tmp_path
):
    project = before_training()
    run = start(project, tmp_path / "run.log", module="start")
    wait_for(lambda: trainings_at_work(project), run)
    (left_over,) = running_jobs()
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert running_jobs() == [left_over], "expected the job to outlive Snakemake"
    second = start(project, tmp_path / "second.log", module="start")
    assert second.wait(timeout=500) == 0, (tmp_path / "second.log").read_text()[-6000:]
    assert (
        "removing the lock that a killed run left behind" in (tmp_path / "second.log").read_text()
    )
    assert {job["JobState"] for job in ended_jobs(slurm, project.folder)} == {"COMPLETED"}
    assert project.result_bytes() == trained
    assert not list((project.folder / ".snakemake").glob("locks/*"))


def test_the_generic_profile_submits_as_well(slurm, new_project, tiny):
    project = new_project(tiny)
    profile = ("--workflow-profile", "profiles/cluster-generic")
    text = project.snakemake(*profile, "--until", "plan_mixtures").text
    (job,) = ended_jobs(slurm, project.folder)
    assert (job["JobState"], job["Partition"]) == ("COMPLETED", "cpu")
    assert len(re.findall(r"Finished jobid: \d+ \(Rule: ", text)) == 4
    assert (project.folder / "results/tiny/mixtures/mixtures.csv").exists()
