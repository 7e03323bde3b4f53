"""Installed packages: one source, one exact lock file, the same for conda."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from system_packages import install_command

ENVS = Path(__file__).parents[2] / "envs"


def lines_of(path):
    stripped = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in stripped if line]


@pytest.fixture(scope="module")
def lock():
    return lines_of(ENVS / "requirements.lock")


@pytest.fixture
def install():
    """The module envs/install.py, its own copy for each test."""
    spec = importlib.util.spec_from_file_location("install", ENVS / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_folder_of_tests_is_run_by_a_target():
    repository = ENVS.parent
    folders = {
        f"tests/{path.parent.relative_to(repository / 'tests').parts[0]}"
        for path in (repository / "tests").rglob("test_*.py")
    }
    settings = tomllib.loads((repository / "pyproject.toml").read_text())
    by_default = set(settings["tool"]["pytest"]["ini_options"]["testpaths"])
    makefile = (repository / "Makefile").read_text()
    assert by_default <= folders
    for folder in folders - by_default:
        assert f"pytest {folder}" in makefile, folder


def test_ci_runs_every_part_of_all_tests_once():
    makefile = (ENVS.parent / "Makefile").read_text()
    (parts,) = re.findall(r"^test-all: (.*?) +##", makefile, re.MULTILINE)
    script = (ENVS.parent / ".ci/run").read_text()
    assert re.findall(r"^suite make (\S+)$", script, re.MULTILINE) == parts.split()
    chosen = re.findall(r'-m ("not full"|full)$', makefile, re.MULTILINE)
    assert chosen == ['"not full"', "full"]


@pytest.mark.parametrize("suite", ["browser", "cluster"])
def test_ci_installs_the_packages_that_a_suite_says_it_lacks(suite):
    script = (ENVS.parent / ".ci/run").read_text()
    assert re.search(rf"^install {suite} \w+$", script, re.MULTILINE)
    (packages,) = re.findall(
        rf"^{suite}: (.+)$", (ENVS / "system_packages.txt").read_text(), re.MULTILINE
    )
    assert install_command(suite).endswith(f"--no-install-recommends {packages}")


def test_every_pin_is_exact(lock):
    for line in [*lock, *lines_of(ENVS / "slurm.lock")]:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][^ ;]*(; python_version .*)?", line), line


def test_lock_holds_what_is_asked_for(lock):
    pinned = {canonicalize_name(Requirement(line).name): Requirement(line) for line in lock}
    for line in lines_of(ENVS / "requirements.in"):
        asked = Requirement(line)
        pin = pinned[canonicalize_name(asked.name)]
        (version,) = (part.version for part in pin.specifier)
        assert asked.specifier.contains(version), line


def test_lock_is_a_closure(lock):
    # What an installed package of the lock needs is in the lock, but for what is left out on purpose.
    from importlib.metadata import PackageNotFoundError, requires

    pinned = {canonicalize_name(Requirement(line).name) for line in lock}
    left_out = re.compile(r"^(pyaudio|pathlib|nvidia-.*|cuda-.*|triton.*)$")
    for name in sorted(pinned):
        try:
            needs = requires(name) or []
        except PackageNotFoundError:  # a line for another Python
            continue
        for need in map(Requirement, needs):
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                known = canonicalize_name(need.name)
                assert known in pinned or left_out.match(known), f"{name} needs {need}"


def test_conda_users_get_the_same_versions(lock):
    environment = yaml.safe_load((ENVS / "environment.yaml").read_text())
    (pip,) = (item["pip"] for item in environment["dependencies"] if isinstance(item, dict))
    assert pip[0] == "--no-deps"
    assert pip[1:] == [line for line in lock if ";" not in line]


def test_the_slurm_lock_adds_and_never_changes_a_version(lock):
    pinned = {canonicalize_name(Requirement(line).name) for line in lock}
    extra = [Requirement(line) for line in lines_of(ENVS / "slurm.lock")]
    assert not pinned & {canonicalize_name(need.name) for need in extra}
    asked = [Requirement(line) for line in lines_of(ENVS / "slurm.in")]
    assert {need.name for need in asked} <= {need.name for need in extra}
    # In requirements.lock it would slow down every call of Snakemake without Slurm.
    assert not [name for name in pinned if name.startswith("snakemake-executor-plugin")]


def test_old_python_is_refused_with_a_clear_message(monkeypatch, install):
    monkeypatch.setattr(install.sys, "version_info", (3, 9, 2, "final", 0))
    with pytest.raises(SystemExit, match=r"expected Python 3\.11 or newer, found 3\.9\.2"):
        install.main()


@pytest.mark.parametrize("extra", [None, "slurm"])
def test_a_finished_setup_does_nothing(monkeypatch, tmp_path, install, extra):
    for name in ("VENV", "SLURM_VENV"):
        monkeypatch.setattr(install, name, tmp_path / name)
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "bin/tfseg").touch()
    environment = install.SLURM_VENV if extra else install.VENV
    locks = [install.LOCK, install.SLURM_LOCK] if extra else [install.LOCK]
    install.stamp_of(environment).write_text(install.wanted_stamp(environment, *locks))

    def refuse(*arguments, **named):
        raise AssertionError(f"a finished set-up started {arguments}")

    monkeypatch.setattr(install.subprocess, "Popen", refuse)
    monkeypatch.setattr(install.venv, "create", refuse)
    install.main(extra)


def test_a_setup_of_before_gets_the_command_and_nothing_else(monkeypatch, tmp_path, install):
    monkeypatch.setattr(install, "VENV", tmp_path / ".venv")
    install.VENV.mkdir()
    install.stamp_of(install.VENV).write_text(install.wanted_stamp(install.VENV, install.LOCK))
    commands = []

    def start(command):
        commands.append(command)
        return SimpleNamespace(wait=lambda: 0)

    monkeypatch.setattr(install.subprocess, "Popen", start)
    install.main()
    (command,) = commands
    assert command[-2:] == ["--editable", str(ENVS.parent)]
    assert {"--no-deps", "--no-build-isolation"} <= set(command)
    # For an image, which has only this folder's files.
    monkeypatch.setattr(install, "ROOT", tmp_path)
    install.main()
    assert len(commands) == 1


def test_calls_of_pip_that_run_at_once_all_end_before_one_that_failed_is_named(
    monkeypatch, tmp_path, install
):
    ended = []

    def start(command):
        return SimpleNamespace(wait=lambda: ended.append(command[-1]) or command[-1] == "b==1")

    monkeypatch.setattr(install.subprocess, "Popen", start)
    install.pip(tmp_path, ["install", "a==1"], ["install", "c==1"])
    with pytest.raises(SystemExit, match="pip failed: install b==1"):
        install.pip(tmp_path, ["install", "b==1"], ["install", "c==1"])
    assert ended == ["a==1", "c==1", "b==1", "c==1"]


@pytest.mark.parametrize("extra", [None, "slurm"])
def test_what_a_link_points_to_is_never_changed(monkeypatch, tmp_path, install, extra):
    target = tmp_path / "of somebody else"
    target.mkdir()
    (target / "kept.txt").write_text("kept")
    monkeypatch.setattr(install, "is_finished", lambda environment, *_: environment.name == "own")
    monkeypatch.setattr(install, "VENV", tmp_path / ("own" if extra else "link"))
    monkeypatch.setattr(install, "SLURM_VENV", tmp_path / "link")
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(SystemExit, match=r"link is a link to .*of somebody else.*remove the link"):
        install.main(extra)
    assert [path.name for path in target.iterdir()] == ["kept.txt"]
    assert (tmp_path / "link").is_symlink()


def test_a_link_to_a_finished_environment_is_used(monkeypatch, tmp_path, install):
    finished = tmp_path / "finished"
    finished.mkdir()
    (tmp_path / "link").symlink_to(finished)
    install.stamp_of(finished).write_text(install.wanted_stamp(finished, install.LOCK))
    monkeypatch.setattr(install, "VENV", tmp_path / "link")
    monkeypatch.setattr(install.venv, "create", None)
    install.main()


@pytest.mark.parametrize("status", [0, 1])
def test_the_package_that_must_be_compiled_may_fail_with_one_line(
    monkeypatch, tmp_path, install, capsys, status
):
    commands = []

    def run(command, **options):
        commands.append(command)
        return subprocess.CompletedProcess(command, status, stdout="error: no cc\n")

    monkeypatch.setattr(install.subprocess, "run", run)
    monkeypatch.setattr(install, "VENV", tmp_path)
    install.compile_package()
    (command,) = commands
    assert command[-1].startswith("sed-scores-eval==")
    said = capsys.readouterr().out
    if status:
        assert said.count("\n") == 1
        assert "sed-scores-eval==0.0.4 could not be built" in said
        assert "PSDS is left out" in said
        assert (tmp_path / "sed-scores-eval.log").read_text() == "error: no cc\n"
    else:
        assert said == ""
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", ["train_model", "infer_scores"])
def test_training_and_inference_import_little(module):
    code = (
        f"import sys; sys.path.insert(0, 'workflow_scripts'); import {module}; print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ENVS.parent, capture_output=True, text=True, check=True
    ).stdout.split()
    for heavy in ("librosa", "soundfile", "pandas", "matplotlib", "sklearn", "scipy", "sed_eval"):
        assert heavy not in loaded, f"{module} imports {heavy}"
