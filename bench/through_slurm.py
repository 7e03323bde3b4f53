"""Run an experiment on this machine, then through a one-node Slurm, and print the cost of Slurm.

    .venv-slurm/bin/python bench/through_slurm.py [experiments/mini.yaml ...]

Needs the same packages as `make test-cluster`. Both runs use a temporary folder.
"""

import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

from one_node_slurm import THROUGH_SLURM, ended_jobs, one_node_slurm  # noqa: E402
from workflow_project import copy_project  # noqa: E402

# Snakemake's message for a submitted job.
_OWN = ("logs", "benchmarks", "training_state", "report.html")
_SUBMITTED = re.compile(
    r"Job \S+ has been submitted with SLURM jobid (\d+) .*?/slurm_logs/([^/]+)/"
)


def _seconds(job):
    start, end = (datetime.fromisoformat(job[key]) for key in ("StartTime", "EndTime"))
    return (end - start).total_seconds()


def benchmarks_s(results, rule):
    """Return the seconds of the jobs of a rule, without the start of Snakemake."""
    found = []
    for path in results.glob(f"*/benchmarks/{rule}/*.tsv"):
        with path.open(encoding="utf-8") as stream:
            found += [float(row["s"]) for row in csv.DictReader(stream, delimiter="\t")]
    return found


def timed(project, *arguments):
    """Run Snakemake in a project; return seconds, its output, and the load of the machine."""
    start = time.perf_counter()
    run = subprocess.run(
        project.command(*arguments), cwd=project.folder, capture_output=True, text=True
    )
    if run.returncode:
        sys.exit(run.stderr[-6000:])
    return time.perf_counter() - start, run.stdout + run.stderr, os.getloadavg()[1]


def main(overlays):
    """Run both, print a table."""
    overlays = [Path(path).resolve() for path in overlays or [ROOT / "experiments" / "mini.yaml"]]
    folder = Path(tempfile.mkdtemp())
    try:
        local, through = (copy_project(folder / name, overlays) for name in ("local", "slurm"))
        local_s, _, local_load = timed(local, "--resources", "gpu=2")
        with one_node_slurm() as slurm:
            slurm_s, text, slurm_load = timed(through, *THROUGH_SLURM)
            jobs = {job["JobId"]: job for job in ended_jobs(slurm, through.folder)}
        trainings = [
            number for number, name in _SUBMITTED.findall(text) if name == "rule_train_model"
        ]
        in_slurm_s = [_seconds(jobs[number]) for number in trainings]
        alone_s = benchmarks_s(through.folder / "results", "train_model")
        print(f"load of the machine, five minutes: {local_load:.1f}, then {slurm_load:.1f}\n")
        print("| what | seconds |\n|---|---:|")
        print(f"| the whole run on this machine | {local_s:.0f} |")
        print(f"| the whole run through Slurm, {len(jobs)} jobs | {slurm_s:.0f} |")
        print(f"| a training alone there, median of {len(alone_s)} | {median(alone_s):.1f} |")
        print(f"| the job of Slurm around it, median | {median(in_slurm_s):.1f} |")
        same = local.result_bytes(without=_OWN) == through.result_bytes(without=_OWN)
        print(f"\nThe results are {'the same bytes' if same else 'NOT the same'}.")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
