"""Snakemake's scheduler is woken once in a time span, however many jobs have ended."""

import inspect
import threading
import time
from types import SimpleNamespace

from snakemake.scheduling.job_scheduler import JobScheduler

from tfseg.run.scheduler import keep_one_timer


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
    # Where this fails, Snakemake has changed: look whether the repair is still needed.
    rounds = inspect.getsource(JobScheduler.schedule)
    assert "self._schedule_reevalutation(self.job_rate_limiter.timespan)" in rounds
    assert "self._open_jobs.acquire()" in rounds
    assert list(inspect.signature(JobScheduler._schedule_reevalutation).parameters) == [
        "self",
        "delay",
    ]
