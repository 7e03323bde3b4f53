"""Snakemake's scheduler wakes up once per time span, for any number of finished jobs."""

import inspect
import logging
import threading
import time
from types import SimpleNamespace

from snakemake.scheduling.job_scheduler import JobScheduler

from tfseg.run.scheduler import WRITTEN_FOR, keep_one_timer


def test_many_rounds_set_one_timer():
    scheduler = SimpleNamespace(_open_jobs=threading.Semaphore(0))
    keep_one_timer(scheduler)
    for _ in range(50):
        scheduler._schedule_reevalutation(0.05)
    assert scheduler._open_jobs.acquire(timeout=10)
    assert not scheduler._open_jobs.acquire(timeout=0.3)


def test_after_it_went_off_the_next_round_sets_another():
    scheduler = SimpleNamespace(_open_jobs=threading.Semaphore(0))
    keep_one_timer(scheduler)
    for _ in range(3):
        started = time.monotonic()
        scheduler._schedule_reevalutation(0.05)
        assert scheduler._open_jobs.acquire(timeout=10)
        assert time.monotonic() - started >= 0.05


def test_no_timer_keeps_a_finished_process_alive():
    scheduler = SimpleNamespace(_open_jobs=threading.Semaphore(0))
    keep_one_timer(scheduler)
    before = set(threading.enumerate())
    scheduler._schedule_reevalutation(5)
    (timer,) = set(threading.enumerate()) - before
    assert timer.daemon
    timer.cancel()


def test_the_installed_snakemake_sets_its_timers_by_this_function():
    # If this fails, Snakemake has changed: check whether the repair is still needed.
    rounds = inspect.getsource(JobScheduler.schedule)
    assert "self._schedule_reevalutation(self.job_rate_limiter.timespan)" in rounds
    assert "self._open_jobs.acquire()" in rounds
    assert list(inspect.signature(JobScheduler._schedule_reevalutation).parameters) == [
        "self",
        "delay",
    ]


def test_another_snakemake_is_left_as_it_is_and_the_log_says_so(caplog):
    scheduler = SimpleNamespace(_open_jobs=threading.Semaphore(0))
    with caplog.at_level(logging.WARNING, logger="snakemake.logging"):
        keep_one_timer(scheduler, version="9.28.0")
    assert list(vars(scheduler)) == ["_open_jobs"]
    (record,) = caplog.records
    assert "Snakemake 9.28.0: its scheduler is not repaired" in record.message
    assert WRITTEN_FOR in record.message


def test_the_repair_is_for_the_snakemake_of_the_lock(repository):
    lock = (repository / "envs/requirements.lock").read_text(encoding="utf-8")
    assert f"snakemake=={WRITTEN_FOR}" in lock.split()
