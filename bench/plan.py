"""Show the jobs of a run by rule, with their resources, and the number of cluster jobs.

    .venv-slurm/bin/python bench/plan.py --workflow-profile profiles/slurm    (after make setup-slurm)
    python bench/plan.py --configfile experiments/mini.yaml

Takes Snakemake's own arguments. Runs nothing, and needs neither data nor Slurm.
"""

import contextlib
import io
import logging
import re
import sys
from pathlib import Path

from snakemake import cli
from snakemake_interface_logger_plugins.common import LogEvent

COLUMNS = ("rule", "jobs", "threads", "mem_mb", "runtime", "gpu", "partition", "group")
_MANY = 10_000


def local_rules():
    """Return the names of the rules that run where Snakemake runs; a dry run does not show them."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in Path("rules").glob("*.smk"))
    blocks = re.findall(r"^localrules:\n((?:    \w+,\n)+)", text, re.MULTILINE)
    return set(re.findall(r"\w+", "".join(blocks)))


class _Jobs(logging.Filter):
    """Collect Snakemake's messages on each job of a dry run.

    This is a filter, since Snakemake removes the handlers of its logger when it starts.
    """

    def __init__(self):
        super().__init__()
        self.rules, self.n_submitted, self.n_local = {}, 0, 0
        self._group, self._local_rules = "", local_rules()

    def filter(self, record):
        event = getattr(record, "event", None)
        if event == LogEvent.GROUP_INFO:
            # The jobs of a group follow the group's own message.
            self._group = next(iter(record.jobs)).group
            self.n_submitted += 1
        elif event == LogEvent.JOB_INFO and record.rule_name != "all":
            self._add(record)
        return True

    def _add(self, job):
        asked = job.resources
        is_local = job.rule_name in self._local_rules
        if is_local:
            self.n_local += 1
        elif not job.indent:
            self.n_submitted += 1
        facts = (
            job.threads,
            asked.mem_mb,
            asked.runtime,
            asked.get("gpu", 0),
            "(not submitted)" if is_local else asked.get("slurm_partition", ""),
            self._group if job.indent else "",
        )
        self.rules[job.rule_name, facts] = self.rules.get((job.rule_name, facts), 0) + 1


def planned(arguments):
    """Plan a run.

    Parameters
    ----------
    arguments : sequence of str
        Snakemake's arguments, without ``-n``.

    Returns
    -------
    rules : dict
        (rule, its other columns) to number of jobs, in the order of the run.
    n_submitted, n_local : int
        Jobs for the cluster (a group is one job), and jobs that run where Snakemake runs.
    """
    jobs = _Jobs()
    logger = logging.getLogger("snakemake.logging")
    logger.addFilter(jobs)
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            # By default a dry run assumes one core, and reduces all threads to it.
            cli.main(["--dry-run", "--forceall", "--cores", str(_MANY), *arguments])
    except SystemExit as end:
        if end.code:
            sys.exit(said.getvalue())
    finally:
        logger.removeFilter(jobs)
    return jobs.rules, jobs.n_submitted, jobs.n_local


def main(arguments):
    """Print the table."""
    rules, n_submitted, n_local = planned(arguments)
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for (rule, facts), n_jobs in rules.items():
        print("| " + " | ".join(map(str, (rule, n_jobs, *facts))) + " |")
    total = sum(rules.values())
    print(f"\n{total} jobs: {n_submitted} to submit, {n_local} where Snakemake runs.")


if __name__ == "__main__":
    main(sys.argv[1:])
