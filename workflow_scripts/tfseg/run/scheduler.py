"""A repair of Snakemake's scheduler, which after some hundred jobs would keep a core busy."""

import logging
import threading

import snakemake

# The repair replaces a private method: it is made for this version, and left out with any other.
WRITTEN_FOR = "9.27.1"


def keep_one_timer(scheduler, version=snakemake.__version__):
    """Let Snakemake's scheduler have at most one timer that wakes it, and none that delays its end.

    While jobs wait for resources, every round of the scheduler sets a timer for another one, a second
    later (Snakemake 9.27, ``JobScheduler.schedule``: its limit of jobs per time span). The round that
    follows the end of a job does so too, so that for each job that has ended one more round runs each
    second. Timers that are not daemons also keep a finished Snakemake alive for that second.

    Parameters
    ----------
    scheduler : snakemake.scheduling.job_scheduler.JobScheduler
        Changed in place: limits of jobs per time span hold as before. With another version than
        `WRITTEN_FOR` it is left as it is, and Snakemake's log says so.
    version : str
        Of Snakemake.
    """
    if version != WRITTEN_FOR:
        # Snakemake shows what its own logger gets, and no other one's messages.
        logging.getLogger("snakemake.logging").warning(
            f"Snakemake {version}: its scheduler is used as it is. tfseg's repair, which saves CPU "
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
