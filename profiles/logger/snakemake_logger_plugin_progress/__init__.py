"""A Snakemake logger plugin: one line says how far a run is; all else goes to a log file.

`envs/start.py --progress` puts it on Snakemake's path and asks for it (``--logger progress``).
While it is at work, the console shows the line and whole errors. What Snakemake and the jobs print
goes to the file.
"""

import logging
import os
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

# A first guess at a job's seconds, until the first one of its rule has ended: what it costs in the
# demo (results/mini/benchmarks/). Other experiments take longer, by a factor that the jobs that have
# ended tell.
TYPICAL_S = {
    "all": 0.0,
    "describe_model": 0.5,
    "detect_events": 0.5,
    "make_tables": 2.0,
    "infer_scores": 2.7,
    "infer_listening": 2.7,
    "plot_figure": 2.7,
    "summarise_recordings": 2.7,
    "extract_features": 3.0,
    "make_leaderboard": 3.0,
    "infer_examples": 3.5,
    "score_system": 3.5,
    "separate_mixtures": 4.0,
    "apply_model": 4.5,
    "compare_systems": 5.0,
    "render_embedded_corpus": 6.0,
    "train_model": 6.5,
}
OTHER_S = 1.0
# In what Snakemake says after Ctrl-C, before each job that it ends reports an error.
STOPPED_BY_USER = "on user request"
# Seconds between two lines: on a terminal, where each replaces the one before; in a pipe or a file.
TERMINAL_S, PIPE_S = 1.0, 15.0


class Forecast:
    """How long the jobs that are left will take.

    Parameters
    ----------
    counts : dict of str to int
        Jobs of each rule, all of the run.
    """

    def __init__(self, counts):
        self._left = Counter(counts)
        self._seconds = {}
        self._most_at_once = 1

    def started(self, n_running):
        """Take note that so many jobs run at once."""
        self._most_at_once = max(self._most_at_once, n_running)

    def finished(self, rule, seconds):
        """Take note of a job that has ended."""
        self._left[rule] -= 1
        self._seconds.setdefault(rule, []).append(seconds)

    def _mean_s(self, rule):
        if rule in self._seconds:
            return statistics.fmean(self._seconds[rule])
        took = sum(sum(seconds) for seconds in self._seconds.values())
        guessed = sum(
            len(seconds) * TYPICAL_S.get(name, OTHER_S) for name, seconds in self._seconds.items()
        )
        scale = took / guessed if guessed else 1.0
        return TYPICAL_S.get(rule, OTHER_S) * scale

    def left_s(self, running):
        """Seconds until the end, if as many jobs go on to run at once as did so far.

        Parameters
        ----------
        running : list of (str, float)
            Rule of each job that runs, and its seconds so far.
        """
        work_s = sum(n * self._mean_s(rule) for rule, n in self._left.items() if n > 0)
        work_s -= sum(min(seconds, self._mean_s(rule)) for rule, seconds in running)
        return max(work_s, 0.0) / self._most_at_once


def in_words(seconds):
    """A duration for people: ``45 s``, ``3 min 05 s``, ``2 h 10 min``."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"


class Console:
    """Where the line is shown, whatever standard output and error have become.

    Parameters
    ----------
    descriptor : int
        Of an open file; it stays open.
    """

    def __init__(self, descriptor):
        self._descriptor = descriptor
        self.is_terminal = os.isatty(descriptor)
        self._has_line = False

    def _write(self, text):
        data = text.encode(errors="backslashreplace")
        while data:
            data = data[os.write(self._descriptor, data) :]

    def show(self, line):
        """Show the line; on a terminal in place of the last one."""
        if not self.is_terminal:
            self._write(f"{line}\n")
            return
        width = os.get_terminal_size(self._descriptor).columns or 80
        self._write(f"\r\033[K{line[: width - 1]}")
        self._has_line = True

    def tell(self, text):
        """Print a text that stays; the line goes on below it."""
        clear = "\r\033[K" if self._has_line else ""
        self._write(f"{clear}{text}\n")
        self._has_line = False


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """Option ``--logger-progress-file``."""

    file: str = field(
        default="",
        metadata={"help": "File for what Snakemake and its jobs print.", "required": True},
    )


class LogHandler(LogHandlerBase):
    """Shows the line, and sends standard output and error of this process and its jobs to a file.

    Snakemake's own handler still writes all messages to standard error, hence to the file.
    """

    writes_to_stream = False
    writes_to_file = False
    has_filter = True
    has_formatter = False
    needs_rulegraph = False

    def __post_init__(self):
        self._file = Path(self.settings.file)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._console = Console(os.dup(2))
        log = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        self._began = time.monotonic()
        self._forecast = Forecast({})
        self._running, self._done, self._total, self._failed = {}, 0, 0, False
        self._is_stopped = False
        self._doing = "preparing"
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()

    def _tick(self):
        interval_s = TERMINAL_S if self._console.is_terminal else PIPE_S
        while not self._ended.wait(interval_s):
            with self.lock:
                self._console.show(self._line())

    def _line(self):
        now = time.monotonic()
        elapsed = in_words(now - self._began)
        if not self._total:
            return f"{elapsed}: {self._doing}"
        running = [(rule, now - since) for rule, since in self._running.values()]
        left = in_words(self._forecast.left_s(running))
        share = f"{self._done} of {self._total} jobs, {self._done / self._total:.0%}"
        return f"{share}, {elapsed}, about {left} left: {self._doing}"

    def emit(self, record):
        """Take note of an event; show an error in full."""
        event = getattr(record, "event", None)
        if event == LogEvent.RUN_INFO:
            counts = {rule: n for rule, n in record.stats.items() if rule != "total"}
            self._forecast, self._total = Forecast(counts), sum(counts.values())
        elif event == LogEvent.JOB_INFO:
            self._running[record.jobid] = record.rule_name, time.monotonic()
            self._forecast.started(len(self._running))
            self._doing = record.rule_msg or record.rule_name
        elif event == LogEvent.JOB_FINISHED and record.job_id in self._running:
            rule, since = self._running.pop(record.job_id)
            self._forecast.finished(rule, time.monotonic() - since)
        elif event == LogEvent.JOB_ERROR:
            self._running.pop(record.jobid, None)
        elif event == LogEvent.PROGRESS:
            self._done, self._total = record.done, record.total
        elif STOPPED_BY_USER in record.getMessage():
            self._is_stopped = True
        if record.levelno >= logging.ERROR and not self._is_stopped:
            self._failed = True
            self._console.tell(self.format(record))
        if self._console.is_terminal:
            self._console.show(self._line())

    def close(self):
        """Say how the run ended."""
        if not self._ended.is_set():
            self._ended.set()
            self._console.tell(self._summary())
        super().close()

    def _summary(self):
        elapsed = in_words(time.monotonic() - self._began)
        if self._total and self._done == self._total:
            return f"all {self._total} jobs done in {elapsed} (log: {self._file})"
        if self._failed:
            return f"failed, {self._done} of {self._total} jobs done; all messages: {self._file}"
        if not self._total:
            return f"nothing to do: all results are in place ({elapsed})"
        return (
            f"stopped, {self._done} of {self._total} jobs done; the same command goes on from "
            f"here (log: {self._file})"
        )
