"""Measure the cost of Snakemake's scheduler while jobs wait, with and without tfseg's repair.

    python bench/scheduler.py [--jobs 200] [--waits 8]

Runs a test workflow in a temporary folder, on one core: many short jobs, then a few that only wait
for 5 s each. Prints Markdown: CPU seconds of the Snakemake process with and without the repair, and
their ratio.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[1] / "workflow_scripts"
SNAKEFILE = """
import os
import sys

sys.path.insert(0, {library!r})
from tfseg.run.scheduler import keep_one_timer


onstart:
    if {repaired}:
        keep_one_timer(workflow.scheduler)


onsuccess:
    print("CPU seconds:", sum(os.times()[:2]))


rule all:
    input:
        expand("short{{n}}", n=range({n_jobs})),
        expand("long{{n}}", n=range({n_waits})),


rule short:
    output: touch("short{{n}}")
    priority: 1


rule long:
    output: touch("long{{n}}")
    shell: "sleep 5"
"""


def cpu_seconds(repaired, n_jobs, n_waits):
    """Return the CPU seconds of the Snakemake process for this workflow."""
    with tempfile.TemporaryDirectory() as folder:
        text = SNAKEFILE.format(
            library=str(LIBRARY), repaired=repaired, n_jobs=n_jobs, n_waits=n_waits
        )
        Path(folder, "Snakefile").write_text(text, encoding="utf-8")
        result = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "1"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
    return float(re.search(r"CPU seconds: ([\d.]+)", result.stdout + result.stderr)[1])


def main(n_jobs, n_waits):
    """Print both ways and their ratio."""
    ours, plain = (cpu_seconds(repaired, n_jobs, n_waits) for repaired in (True, False))
    print("| jobs | with one timer | Snakemake as it is | ratio |\n|---|---|---|---|")
    print(f"| {n_jobs} and {n_waits} | {ours:.1f} CPU s | {plain:.1f} CPU s | {plain / ours:.2f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=200, help="short jobs")
    parser.add_argument("--waits", type=int, default=8, help="jobs of 5 s after them")
    arguments = parser.parse_args()
    main(arguments.jobs, arguments.waits)
