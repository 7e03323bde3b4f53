"""Twenty kills at seeded random times: of everything, of Snakemake alone, of a training alone."""

import contextlib
import os
import random
import signal
import subprocess
import time

import psutil
import pytest
import yaml
from workflow_project import TINY, copy_project

pytestmark = [pytest.mark.workflow, pytest.mark.full]
UNTIL = ("--until", "score_system", "--resources", "gpu=1")
N_KILLS = 20


def _start(project, log):
    return subprocess.Popen(
        project.command(*UNTIL, module="start"),
        cwd=project.folder,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def _jobs(project, word):
    """Processes in the project's folder whose command line has a word."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cwd() == str(project.folder) and word in " ".join(process.cmdline()):
                found.append(process)
    return found


def _kill(project, process, what):
    """Kill processes, and return what was killed."""
    if what == "training":
        while process.poll() is None:
            # The first training has saved a state, so from now on work could be lost.
            if _jobs(project, "train_model") and list(
                project.folder.rglob("training_state/**/*.s*")
            ):
                time.sleep(random.uniform(0, 1))
                for job in _jobs(project, "train_model"):
                    with contextlib.suppress(psutil.Error):
                        job.kill()
                process.wait()
                return "training"
            time.sleep(0.1)
        return None
    if process.poll() is not None:
        return None
    process.kill()
    if what == "everything":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for job in _jobs(project, "workflow_scripts"):
            with contextlib.suppress(psutil.Error):
                job.kill()
    process.wait()
    return what


def test_twenty_kills_at_random_moments(only_long, tmp_path, capsys):
    overlay = tmp_path / "overlay.yaml"
    settings = {
        "systems": ["gwrp"],
        "mixing": {"snr_db": [0]},
        "training": {"iterations": 400, "state_every": 5, "history_every": 10},
    }
    overlay.write_text(yaml.safe_dump(settings))
    undisturbed = copy_project(tmp_path / "undisturbed", [*TINY, overlay])
    began_s = time.monotonic()
    undisturbed.snakemake(*UNTIL)
    lasted_s = time.monotonic() - began_s
    expected = undisturbed.result_bytes()

    random.seed(7)
    hit, resumed, n_projects = dict.fromkeys(("everything", "snakemake", "training"), 0), 0, 0
    while sum(hit.values()) < N_KILLS:
        project = copy_project(tmp_path / f"killed{n_projects}", [*TINY, overlay])
        log_path = tmp_path / f"killed{n_projects}.log"
        with log_path.open("w") as log:
            # Trainings are short here, so the first kills are theirs.
            later = random.choices(["everything", "snakemake"], k=3)
            for what in ["training", "training", *later]:
                process = _start(project, log)
                if what != "training":
                    time.sleep(random.uniform(1, 0.3 * lasted_s))
                killed = _kill(project, process, what)
                if killed:
                    hit[killed] += 1
            last = _start(project, log)
            assert last.wait(timeout=1800) == 0, log_path.read_text()[-3000:]
        n_projects += 1
        resumed += log_path.read_text().count("resuming at iteration")
        assert project.result_bytes() == expected
        with capsys.disabled():
            print(f"\n{n_projects} runs ended with equal bytes; kills: {hit}, resumed: {resumed}")
    with capsys.disabled():
        print(f"undisturbed run: {lasted_s:.0f} s; kills: {sum(hit.values())}")
    assert min(hit.values()) > 0
    assert resumed > 0
