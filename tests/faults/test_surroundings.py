"""Unusual environments: no write permission, a second workflow, wrong clocks, one core, locales."""

import os
import shutil
import subprocess
import sys

import pytest
from workflow_project import TINY, Project, copy_project

pytestmark = [pytest.mark.workflow, pytest.mark.full]
NOBODY = 65534


def _become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def test_a_results_folder_without_permission_is_named(tmp_path_factory, repository):
    if os.geteuid() != 0:
        pytest.skip("needs root, to become an ordinary user who owns nothing")
    folder = tmp_path_factory.mktemp("ordinary", numbered=True)
    # pytest's own folders are closed to others.
    for parent in (folder, *folder.parents):
        if not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o055)
    project = copy_project(folder / "workflow", [])
    overlays = [shutil.copy(path, folder) for path in TINY]
    project = Project(project.folder, overlays)
    for path in folder.rglob("*"):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    shutil.chown(project.folder, NOBODY, NOBODY)
    results = project.folder / "results" / "tiny"
    (results / "corpus").mkdir(parents=True)  # owned by root: the user nobody may only read
    environment = os.environ | {"HOME": str(project.folder), "XDG_CACHE_HOME": str(project.folder)}
    usable = subprocess.run(
        [sys.executable, "-c", "import snakemake"],
        preexec_fn=_become_nobody, env=environment, check=False, capture_output=True,
    )  # fmt: skip
    if usable.returncode:
        pytest.skip("an ordinary user cannot start this Python")
    result = subprocess.run(
        project.command("--until", "render_embedded_corpus", module="start"),
        cwd=project.folder,
        preexec_fn=_become_nobody,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    text = result.stdout + result.stderr
    assert result.returncode != 0
    assert "Permission denied" in text
    assert "results/tiny" in text
    assert [path for path in results.rglob("*") if path.is_file()] == []


def test_jobs_start_where_the_folder_of_the_clone_and_its_venv_has_spaces(tmp_path):
    project = copy_project(tmp_path / "My Projects" / "tfseg's copy (2)", TINY)
    (project.folder / ".venv").symlink_to(sys.prefix)  # as `make setup` lays it there
    command = project.command("--until", "render_embedded_corpus", module="start")
    command[0] = str(project.folder / ".venv/bin/python")
    result = subprocess.run(
        command, cwd=project.folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, (result.stdout + result.stderr)[-4000:]
    assert list((project.folder / "results/tiny/corpus/audio").rglob("*.wav"))


def test_of_two_workflows_at_once_one_runs_and_the_other_says_so(tmp_path, finished):
    project = copy_project(tmp_path / "workflow", TINY)
    arguments = ("--until", "plan_mixtures", "--quiet", "rules")
    both = [
        subprocess.Popen(
            project.command(*arguments, module=module),
            cwd=project.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for module in ("start", "snakemake")
    ]
    texts = [process.communicate(timeout=600)[0] for process in both]
    codes = [process.returncode for process in both]
    assert 0 in codes, texts
    for code, text in zip(codes, texts, strict=True):
        assert code == 0 or "another Snakemake is running" in text or "cannot be locked" in text
        assert "Traceback" not in text
    whole = finished.result_bytes()
    made = project.result_bytes()
    assert "tiny/mixtures/events.csv" in made
    assert {name: whole[name] for name in made} == made


@pytest.mark.parametrize("year", [1980, 2050])
def test_a_clock_that_was_set_runs_nothing_again(finished, tmp_path, year):
    project = Project(tmp_path / "changed", TINY)
    shutil.copytree(finished.folder, project.folder, symlinks=True)
    then_s = (year - 1970) * 365.25 * 86400
    results = project.folder / "results" / "tiny"
    for path in (project.folder / "workflow_scripts").rglob("*.py"):
        os.utime(path, (then_s, then_s))
    for path in results.rglob("*"):  # all, as after a restored backup
        os.utime(path, (then_s, then_s))
    assert project.planned() == {}
    # Results older than their inputs, as after the clock was set back.
    for folder in ("tables", "figures", "scores", "metrics"):
        for path in (results / folder).rglob("*"):
            os.utime(path, (then_s - 1e6, then_s - 1e6))
    assert project.planned() == {}
    (results / "metrics.csv").unlink()
    assert project.planned()["collect_metrics"] == 1


def test_one_core_another_language_another_time_zone_and_an_odd_path_change_no_byte(
    only_long, finished, tmp_path
):
    project = copy_project(tmp_path / "Töne & Spuren (2) ü音 '#", TINY)
    environment = os.environ | {
        "LC_ALL": "tr_TR.UTF-8",
        "LANG": "tr_TR.UTF-8",
        "PYTHONIOENCODING": "ascii",
        "TZ": "Pacific/Apia",
    }
    core = min(os.sched_getaffinity(0))
    result = subprocess.run(
        project.command("--resources", "gpu=2", module="start"),
        cwd=project.folder,
        env=environment,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert result.returncode == 0, (result.stdout + result.stderr)[-4000:]
    assert project.result_bytes() == finished.result_bytes()


@pytest.mark.parametrize(
    ("language", "zone"),
    [("C", "UTC"), ("de_DE.ISO-8859-1", "Pacific/Apia"), ("tr_TR.UTF-8", "No/Where")],
)
def test_numbers_and_texts_are_written_the_same_in_every_language(
    tmp_path, repository, language, zone
):
    code = (
        "import numpy as np, pandas as pd\n"
        "from tfseg.io.files import write_csv, write_json, writing_hdf5, create_description\n"
        "from tfseg.datasets.corpus_tables import read_table\n"
        "write_csv('a.csv', pd.DataFrame({'x': [0.1, 1e-9, 12345.678], 'n': ['I', 'ı', 'é']}))\n"
        "write_json('a.json', {'é': 0.1, 'i': 'İ'})\n"
        "open('attribution.csv', 'wb').write("
        "'path,author,licence,source\\na.wav,Ö,CC0,İ\\n'.encode())\n"
        "read_table('attribution.csv', 'attribution')\n"
        "with writing_hdf5('a.h5') as f: create_description(f, {'é': 0.1})\n"
        "print('é'.upper().lower(), '音')\n"
    )
    written = []
    for name, own in (("plain", {}), ("other", {"LC_ALL": language, "TZ": zone})):
        folder = tmp_path / name
        folder.mkdir()
        environment = os.environ | {"PYTHONPATH": str(repository / "workflow_scripts")} | own
        if "8859" in language:  # print could not show it; files must be right
            environment["PYTHONIOENCODING"] = "utf-8"
        subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=True)
        written.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert written[0] == written[1]
