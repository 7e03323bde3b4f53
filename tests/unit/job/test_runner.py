"""Services of every script: log, errors, lock."""

import fcntl
import hashlib
import multiprocessing
import sys
import time
from types import SimpleNamespace

import pytest

from tfseg.errors import DataError
from tfseg.job.runner import run_script


@pytest.fixture
def smk(tmp_path):
    return SimpleNamespace(
        rule="train_model",
        wildcards={"fold": "1"},
        input=[],
        output=[str(tmp_path / "out.csv")],
        log=[str(tmp_path / "logs" / "train.log")],
    )


def log_of(smk):
    with open(smk.log[0]) as log:
        return log.read()


def test_output_goes_to_console_and_log(smk, tmp_path, capsys):
    def main(_):
        print("to stdout")
        print("to stderr", file=sys.stderr)

    run_script(main, smk, tmp_path / "locks")
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("to stdout\n", "to stderr\n")
    assert log_of(smk).splitlines()[1:] == ["to stdout", "to stderr"]
    assert "rule train_model" in log_of(smk)
    assert "'fold': '1'" in log_of(smk)


def test_an_overwritten_progress_line_stays_out_of_the_log(smk, tmp_path):
    def main(_):
        sys.stderr.write("\r 10% of it")
        print("a message", file=sys.stderr)

    run_script(main, smk, tmp_path / "locks")
    assert "10%" not in log_of(smk)
    assert "a message" in log_of(smk)


def test_an_error_for_the_user_is_its_message_alone(smk, tmp_path, capsys):
    def main(_):
        raise DataError("siren.wav: expected sound, found digital silence")

    with pytest.raises(SystemExit) as ended:
        run_script(main, smk, tmp_path / "locks")
    assert ended.value.code == 1
    expected = "error in rule train_model: siren.wav: expected sound, found digital silence\n"
    assert capsys.readouterr().err == expected
    assert expected in log_of(smk)
    assert "Traceback" not in log_of(smk)


def test_any_other_error_leaves_its_traceback(smk, tmp_path, capsys):
    def main(_):
        raise ZeroDivisionError("a defect of ours")

    with pytest.raises(SystemExit) as ended:
        run_script(main, smk, tmp_path / "locks")
    assert ended.value.code == 1
    assert "Traceback" in log_of(smk)
    assert "ZeroDivisionError: a defect of ours" in capsys.readouterr().err


def _hold_lock(path, held, release):
    with open(path, "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        held.set()
        release.wait(30)


def test_a_job_waits_for_another_writer_of_its_outputs(smk, tmp_path, capsys):
    locks = tmp_path / "locks"
    locks.mkdir()
    name = hashlib.sha256(smk.output[0].encode()).hexdigest()[:32]
    context = multiprocessing.get_context("fork")
    held, release = context.Event(), context.Event()
    other = context.Process(target=_hold_lock, args=(locks / f"{name}.lock", held, release))
    other.start()
    try:
        assert held.wait(30)
        started = []
        waiting = context.Process(target=run_script, args=(started.append, smk, locks))
        waiting.start()
        deadline = time.monotonic() + 30
        while not (
            (tmp_path / "logs" / "train.log").exists() and "waiting for a job" in log_of(smk)
        ):
            assert time.monotonic() < deadline, "the job did not say that it waits"
            time.sleep(0.02)
        assert waiting.is_alive()
        release.set()
        waiting.join(30)
        assert waiting.exitcode == 0
    finally:
        release.set()
        other.join(30)


def test_jobs_of_other_outputs_do_not_wait(smk, tmp_path):
    other = SimpleNamespace(
        rule="other",
        wildcards={},
        input=[],
        output=[str(tmp_path / "b")],
        log=[str(tmp_path / "b.log")],
    )
    ran = []
    run_script(lambda _: run_script(ran.append, other, tmp_path / "locks"), smk, tmp_path / "locks")
    assert ran == [other]
