"""A copy of the workflow in a separate folder, and Snakemake in it."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
# The whole DAG in under a minute.
TINY = [REPOSITORY / "experiments/mini.yaml", REPOSITORY / "tests/workflow/tiny.yaml"]
# Laid over TINY. Long enough to be killed in the middle.
TWO_TRAININGS = {
    "systems": ["gwrp"],
    "mixing": {"snr_db": [0]},
    "training": {"iterations": 600, "state_every": 5, "history_every": 10},
}
PARTS = (
    "Snakefile",
    "config",
    "config.yaml",
    "docs",
    "envs",
    "experiments",
    "profiles",
    "report",
    "resources",
    "rules",
    "schemas",
    "workflow",
    "workflow_scripts",
)


class Project:
    """A copy of the workflow, and Snakemake in it.

    Parameters
    ----------
    folder : Path
    overlays : sequence of path-like
        Laid over config.yaml in this order.
    """

    def __init__(self, folder, overlays=()):
        self.folder, self.overlays = folder, [str(path) for path in overlays]

    def command(self, *arguments, module="snakemake"):
        start = ["-m", "snakemake"] if module == "snakemake" else [f"envs/{module}.py"]
        overlay = ["--configfile", *self.overlays] if self.overlays else []
        return [sys.executable, *start, *arguments, *overlay]

    def snakemake(self, *arguments, check=True, **options):
        result = subprocess.run(
            self.command(*arguments, **options),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=1800,  # hangs; a slow machine needs minutes
        )
        result.text = result.stdout + result.stderr
        if check and result.returncode:
            raise AssertionError(result.text[-6000:])
        return result

    def planned(self, *arguments):
        """Jobs of a dry run: rule to number, without `all`."""
        text = self.snakemake("-n", *arguments).text
        if "Nothing to be done" in text:
            return {}
        table = text.split("Job stats:")[1].split("total")[0].splitlines()
        rows = [line.split() for line in table if len(line.split()) == 2]
        return {rule: int(count) for rule, count in rows if count.isdigit() and rule != "all"}

    def saved_states(self):
        """Paths of the training states to resume from."""
        # Names of unfinished files begin with a dot.
        return list(self.folder.glob("results/*/training_state/**/[!.]*.safetensors"))

    def result_bytes(self, *, without=("logs", "benchmarks", "training_state", "report.html")):
        """Contents of result files by path, without logs, benchmarks and files that show them."""
        root = self.folder / "results"
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file() and not set(without) & set(path.relative_to(root).parts)
        }


def wait_for(condition, process, seconds=120):
    """Wait until a run has reached a point where a test can disturb it."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the run ended before it could be disturbed"
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def copy_project(folder, overlays=()):
    """Copy the workflow's files, as a clone would hold them, into `folder`."""
    folder.mkdir(parents=True)
    for part in PARTS:
        source = REPOSITORY / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    return Project(folder, overlays)
