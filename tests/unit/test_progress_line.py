"""The line that `envs/start.py --progress` shows, and what becomes of messages and errors."""

import importlib.util
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from workflow_project import wait_for

REPOSITORY = Path(__file__).parents[2]


def _load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


progress = _load(
    "progress", REPOSITORY / "profiles/logger/snakemake_logger_plugin_progress/__init__.py"
)
start = _load("start", REPOSITORY / "envs/start.py")

SNAKEFILE = """
rule all:
    input: "a.txt", "b.txt"
rule make:
    output: "{name}.txt"
    log: "{name}.log"
    message: "Making {wildcards.name}"
    shell: "echo a job speaks; echo why it fails > {log}; test ! -e fail-{wildcards.name}; echo > {output}"
"""


@pytest.fixture
def workflow(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "config.yaml").write_text("run: small\n")
    return tmp_path


def run(folder, *arguments, **options):
    command = [sys.executable, REPOSITORY / "envs/start.py", "--progress", "--cores", "1"]
    return subprocess.run(
        [*map(str, command), "--show-failed-logs", "--keep-going", *arguments],
        cwd=folder,
        timeout=120,
        **options,
    )


@pytest.mark.workflow
def test_a_run_shows_how_it_ended_and_keeps_its_messages_in_a_file(workflow):
    log = workflow / "results/small/logs/snakemake.log"
    first = run(workflow, capture_output=True, text=True)
    assert (first.returncode, first.stdout) == (0, "")
    assert first.stderr.splitlines()[-1].startswith("all 3 jobs done in ")
    assert str(log.relative_to(workflow)) in first.stderr
    for text in ("Making a", "a job speaks", "3 of 3 steps (100%) done"):
        assert text in log.read_text()
        assert text not in first.stderr
    again = run(workflow, capture_output=True, text=True)
    assert again.returncode == 0
    assert "nothing to do: all results are in place" in again.stderr
    assert "Nothing to be done" in log.read_text()
    assert "Making a" in log.read_text()  # of the run before


@pytest.mark.workflow
def test_an_error_is_shown_in_full_with_the_name_of_the_log(workflow):
    (workflow / "fail-b").touch()
    failed = run(workflow, capture_output=True, text=True)
    assert failed.returncode == 1
    assert "Error in rule make" in failed.stderr
    assert "why it fails" in failed.stderr
    last = failed.stderr.splitlines()[-1]
    assert last == "failed, 1 of 3 jobs done; all messages: results/small/logs/snakemake.log"
    (workflow / "Snakefile").write_text("rule all:\n    input: no_such_name\n")
    broken = run(workflow, capture_output=True, text=True)
    assert broken.returncode == 1
    assert "no_such_name" in broken.stderr
    wrong = run(workflow, "--no-such-option", capture_output=True, text=True)
    assert wrong.returncode != 0
    assert "no-such-option" in wrong.stderr


@pytest.mark.workflow
def test_after_ctrl_c_the_same_command_goes_on(workflow):
    text = SNAKEFILE.replace("test ! -e fail-{wildcards.name}", "test -e a.txt || sleep 60")
    (workflow / "Snakefile").write_text(text.replace('"a.txt", "b.txt"', '"b.txt"'))
    command = [sys.executable, REPOSITORY / "envs/start.py", "--progress", "--cores", "1"]
    running = subprocess.Popen(
        [*map(str, command), "--rerun-incomplete"],
        cwd=workflow,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # also where it is ignored
    )
    wait_for(lambda: (workflow / "b.log").exists(), running)
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 1
    last = said.splitlines()[-1]
    assert last.startswith("stopped, 0 of 2 jobs done; the same command goes on from here"), said
    (workflow / "a.txt").touch()
    again = run(workflow, "--rerun-incomplete", capture_output=True, text=True)
    assert again.returncode == 0
    assert "all 2 jobs done in " in again.stderr


@pytest.mark.workflow
def test_a_stale_lock_is_removed_whatever_is_asked_for(workflow):
    locks = workflow / ".snakemake/locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text(f"{workflow}/a.txt\n")
    command = [sys.executable, REPOSITORY / "envs/start.py", "a.txt", "--progress", "--cores", "1"]
    ended = subprocess.run(
        [*map(str, command)], cwd=workflow, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    assert "removing the lock that a killed run left behind" in ended.stderr
    assert (workflow / "a.txt").exists()
    assert not (workflow / "b.txt").exists()


@pytest.mark.workflow
def test_on_a_terminal_the_line_is_written_over(workflow):
    leader, follower = pty.openpty()
    ended = run(workflow, stdout=follower, stderr=follower)
    os.close(follower)
    shown = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # all of it was read
            break
        if not part:
            break
        shown += part
    os.close(leader)
    assert ended.returncode == 0
    lines = shown.decode().split("\r\x1b[K")
    assert any(line.startswith("1 of 3 jobs, 33%, ") for line in lines), lines
    assert not any("\n" in line for line in lines[1:-1])
    assert lines[-1].startswith("all 3 jobs done in ")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")],
)
def test_durations_are_said_in_words(seconds, words):
    assert progress.in_words(seconds) == words


def test_a_forecast_follows_from_what_jobs_took():
    forecast = progress.Forecast({"train_model": 4, "infer_scores": 4})
    typical = progress.TYPICAL_S
    first_guess = 4 * (typical["train_model"] + typical["infer_scores"])
    assert forecast.left_s([]) == pytest.approx(first_guess)
    # Trainings take twice as long as typical: so will, for all that is known, the rest.
    forecast.finished("train_model", 2 * typical["train_model"])
    left = 2 * (3 * typical["train_model"] + 4 * typical["infer_scores"])
    assert forecast.left_s([]) == pytest.approx(left)
    # Of a job that runs, the rest is left; of one that takes longer than the others did, nothing.
    assert forecast.left_s([("train_model", 1.0)]) == pytest.approx(left - 1)
    assert forecast.left_s([("train_model", 1e6)]) == pytest.approx(
        left - 2 * typical["train_model"]
    )
    forecast.finished("infer_scores", 1.0)
    left = 3 * 2 * typical["train_model"] + 3 * 1.0
    assert forecast.left_s([]) == pytest.approx(left)
    forecast.started(2)
    assert forecast.left_s([]) == pytest.approx(left / 2)


def test_a_forecast_ends_at_zero():
    forecast = progress.Forecast({"all": 1, "plot_figure": 1})
    forecast.finished("plot_figure", 3.0)
    assert forecast.left_s([]) == 0


@pytest.mark.parametrize(
    ("arguments", "run"),
    [
        ([], "base"),
        (["--configfile", "b.yaml", "a.yaml"], "a"),
        (
            ["all", "--configfile", "a.yaml", "--config", "x=1", "run=given", "--cores", "1"],
            "given",
        ),
        (["--configfile", "nothing.yaml"], "base"),
    ],
)
def test_the_log_lies_with_the_run_that_is_named_last(tmp_path, monkeypatch, arguments, run):
    monkeypatch.chdir(tmp_path)
    texts = {"config": "run: base", "a": "run: a", "b": "run: b", "nothing": "seed: 1"}
    for name, text in texts.items():
        Path(f"{name}.yaml").write_text(text)
    assert start.run_of(arguments) == run
