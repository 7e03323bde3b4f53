"""Jobs of the workflow as Snakemake plans them: params and names for the scripts.

Run as a program with config files as arguments, in the repository's folder, it prints them as a
Python literal.
"""

import ast
import functools
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


@functools.cache
def planned_jobs(*overlays):
    """Return the jobs of a dry run of everything, model export included.

    Parameters
    ----------
    *overlays : path-like
        Laid over config.yaml in this order.

    Returns
    -------
    list of dict
        ``rule``, ``wildcards``, ``params`` and the names of ``inputs`` and ``outputs``.
    """
    # A separate process: Snakemake changes global state of Python.
    ended = subprocess.run(
        [sys.executable, __file__, *map(str, overlays)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-6000:]
    # Not JSON: folds are keys and must stay numbers.
    return ast.literal_eval(ended.stdout.splitlines()[-1])


def _print_jobs(overlays):
    from snakemake import api
    from snakemake.settings.enums import Quietness

    output = api.OutputSettings(quiet={Quietness.ALL}, dryrun=True)
    with api.SnakemakeApi(output) as snakemake:
        workflow = snakemake.workflow(
            resource_settings=api.ResourceSettings(cores=1),
            config_settings=api.ConfigSettings(configfiles=[Path(path) for path in overlays]),
            snakefile=REPOSITORY / "Snakefile",
        )
        dag = workflow.dag(api.DAGSettings(targets={"all", "export"}, forceall=True))
        dag.execute_workflow(executor="dryrun")
        jobs = [
            {
                "rule": job.rule.name,
                "wildcards": dict(job.wildcards.items()),
                "params": dict(job.params.items()),
                "inputs": list(job.input.keys()),
                "outputs": list(job.output.keys()),
            }
            for job in workflow._workflow.dag.jobs
        ]
    print(repr(jobs))


if __name__ == "__main__":
    _print_jobs(sys.argv[1:])
