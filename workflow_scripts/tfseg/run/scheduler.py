"""A repair of Snakemake's scheduler, which keeps a core busy after some hundred jobs."""

import logging
import threading

import snakemake

# The repair replaces a private method, so it applies to this version only.
WRITTEN_FOR = "9.27.1"


def keep_one_timer(scheduler, version=snakemake.__version__):
    """Limit Snakemake's scheduler to one timer that wakes it, and none that delays its end.

    While jobs wait for resources, every round of the scheduler sets a timer for another round one
    second later (Snakemake 9.27, ``JobScheduler.schedule``: its limit of jobs per time span). The
    end of a job starts a round too. So each finished job adds one round per second. Timers that are
    not daemon threads also keep a finished Snakemake alive for that second.

    Parameters
    ----------
    scheduler : snakemake.scheduling.job_scheduler.JobScheduler
        Changed in place; limits of jobs per time span hold as before. With another version than
        `WRITTEN_FOR` it is not changed, and Snakemake's log says so.
    version : str
        Snakemake's version.
    """
    if version != WRITTEN_FOR:
        # Snakemake shows only messages of its own logger.
        logging.getLogger("snakemake.logging").warning(
            f"Snakemake {version}: its scheduler is not repaired. tfseg's repair, which saves CPU "
            f"time in runs of many jobs, is for {WRITTEN_FOR} only."
        )
        return
    pending = threading.Event()

    def wake():
        pending.clear()  # before the round that may set the next timer
        scheduler._open_jobs.release()

    def wake_later(delay_s):
        if pending.is_set():
            return
        pending.set()
        timer = threading.Timer(delay_s, wake)
        timer.daemon = True
        timer.start()

    scheduler._schedule_reevalutation = wake_later
