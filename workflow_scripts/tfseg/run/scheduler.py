"""A repair of Snakemake's scheduler, which after some hundred jobs would keep a core busy."""

import threading


def keep_one_timer(scheduler):
    """Let Snakemake's scheduler have at most one timer that wakes it, and none that delays its end.

    While jobs wait for resources, every round of the scheduler sets a timer for another one, a second
    later (Snakemake 9.27, ``JobScheduler.schedule``: its limit of jobs per time span). The round that
    follows the end of a job does so too, so that for each job that has ended one more round runs each
    second. Timers that are not daemons also keep a finished Snakemake alive for that second.

    Parameters
    ----------
    scheduler : snakemake.scheduling.job_scheduler.JobScheduler
        Changed in place: limits of jobs per time span hold as before.
    """
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
