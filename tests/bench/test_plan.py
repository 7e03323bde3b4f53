"""The table of planned jobs, on the paper's experiment through the profile for Slurm."""

import re
import subprocess
import sys

import pytest
import yaml

pytestmark = pytest.mark.workflow
PLAN = [sys.executable, "bench/plan.py"]


@pytest.fixture(scope="module")
def overlay(repository, tmp_path_factory):
    """The part of profiles/slurm that needs no plugin; the plan does not depend on the rest."""
    profile = yaml.safe_load((repository / "profiles/slurm/config.yaml").read_text())
    known = ("default-resources", "set-resources", "groups", "group-components", "max-threads")
    folder = tmp_path_factory.mktemp("profile")
    (folder / "config.yaml").write_text(yaml.safe_dump({key: profile[key] for key in known}))
    return folder


def _table(text):
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {row[0]: dict(zip(rows[0], row, strict=False)) for row in rows[1:]}


def test_the_papers_experiment_in_jobs_of_a_cluster(repository, overlay):
    result = subprocess.run(
        [*PLAN, "--workflow-profile", str(overlay), "--config", "data_root=nowhere"],
        cwd=repository, capture_output=True, text=True, check=True,
    )  # fmt: skip
    table = _table(result.stdout)
    # 3 SNRs x 3 systems x 4 folds; 4 folds of 8 shards; jobs with a GPU request it.
    assert {row["jobs"] for rule, row in table.items() if rule == "train_model"} == {"36"}
    assert table["render_stems"]["jobs"] == "32"
    assert {rule for rule, row in table.items() if row["gpu"] == "1"} == {
        "train_model",
        "infer_scores",
    }
    assert all(int(row["mem_mb"]) and int(row["runtime"]) for row in table.values())
    submitted, local = map(int, re.search(r"(\d+) to submit, (\d+) where", result.stdout).groups())
    here = ("fetch_archive", "ask_record", "describe_model")
    assert local == sum(int(table[rule]["jobs"]) for rule in here)
    # Groups: corpus 1, sounds 32 / 4, scoring 36, examples 2, tables 1. Alone: 36 trainings, 12
    # separations, 9 metrics, 3 folders to unpack.
    assert submitted == (1 + 8 + 36 + 2 + 1) + (36 + 12 + 9 + 3)


def test_an_error_of_snakemake_is_shown(repository):
    result = subprocess.run(
        [*PLAN, "--config", "seed=-1"], cwd=repository, capture_output=True, text=True
    )
    assert result.returncode == 1
    assert "seed" in result.stderr
