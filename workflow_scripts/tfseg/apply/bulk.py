"""Many recordings: each is analysed once, and costs only itself if it fails."""

import functools
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits

from tfseg.apply.analysis import analyse
from tfseg.apply.known_digests import KnownDigests, state_of
from tfseg.apply.results import (
    already_there,
    describe,
    discard_scratch,
    read_analysis,
    warning,
)
from tfseg.apply.settings import ApplySettings
from tfseg.apply.workers import in_processes
from tfseg.errors import NotWrittenError, TfsegError
from tfseg.inference.model_folder import load_model_folder
from tfseg.job.progress import bar, beside_bars


def attempt(work):
    """Do something with a recording that costs only that recording if it fails.

    Parameters
    ----------
    work : callable

    Returns
    -------
    result
        Of `work`; None where it failed.
    reason : str or None
        Why it failed.

    Raises
    ------
    NotWrittenError, OSError
        No fault of the recording (a full disk): the next would fare no better.
    """
    try:
        return work(), None
    except (NotWrittenError, OSError):
        raise
    except TfsegError as error:
        return None, str(error)
    except Exception as error:  # nobody expected it: where it happened is shown, the others go on
        traceback.print_exc()
        return None, f"an unexpected error, {type(error).__name__}: {error}"


@dataclass(frozen=True)
class Outcome:
    """What became of one recording; small, whatever was found in it.

    Attributes
    ----------
    reason : str or None
        Why it failed.
    line : str
        What to say of it.
    duration_s : float
        Of its sound.
    sha256 : str
        Of the recording.
    """

    reason: str | None
    line: str
    duration_s: float = 0.0
    sha256: str = ""


@dataclass(frozen=True)
class Batch:
    """How recordings are analysed, and where to.

    Attributes
    ----------
    out : Path
    settings : tfseg.apply.settings.ApplySettings
    overwrite : bool
        Results of another model or other settings may be replaced.
    """

    out: Path
    settings: ApplySettings
    overwrite: bool = False


def _failed(name, reason):
    return Outcome(reason, f"{name}: FAILED, {reason}")


def _done(analysis, line):
    return Outcome(None, line, analysis.duration_s, analysis.sha256)


def _found_before(recording, batch, model, digest):
    """See whether a recording was analysed before: its `Outcome`, or None if it is to be."""
    folder = batch.out / recording.name

    def look():
        there = already_there(
            recording, folder, model, batch.settings, overwrite=batch.overwrite, digest=digest
        )
        return read_analysis(folder) if there else None

    analysis, reason = attempt(look)
    if reason is not None:
        return _failed(recording.name, reason)
    if analysis is None:
        return None
    return _done(analysis, f"{recording.name}: done before{warning(analysis)}")


def _analyse(item, batch, model):
    """Analyse a recording: its `Outcome`."""
    recording, reference = item
    folder, started_s = batch.out / recording.name, time.perf_counter()
    analysis, reason = attempt(
        functools.partial(analyse, recording, folder, model, batch.settings, reference)
    )
    if reason is not None:
        return _failed(recording.name, reason)
    return _done(analysis, describe(analysis, time.perf_counter() - started_s))


def _in_worker(batch, model_folder, device, precision):
    """Load the model in a process of its own; returns the function that takes recordings."""
    # One thread each, so that results do not depend on the number of processes.
    torch.set_num_threads(1)
    threadpool_limits(1)
    model = load_model_folder(model_folder, device)
    model.network.precision = precision
    return functools.partial(_analyse, batch=batch, model=model)


def _died(batch, item, error):
    recording = item[0]
    discard_scratch(batch.out / recording.name)
    return _failed(recording.name, f"{recording.path}: {error}")


def _outcomes(items, batch, model, workers, device):
    if workers is None:
        return (_analyse(item, batch, model) for item in items)
    prepare = functools.partial(_in_worker, batch, model.folder, device, model.network.precision)
    return in_processes(prepare, items, workers, died=functools.partial(_died, batch))


class _Progress:
    """A bar over the bytes of recordings, with hours of sound a minute and the time left."""

    def __init__(self, sizes):
        self._n_all, self._n_done = len(sizes), 0
        self._sound_s, self._started_s = 0.0, time.perf_counter()
        self._bar = bar(
            "recordings",
            total=max(sum(sizes), 1),
            bar_format="{desc}: {percentage:3.0f}%{postfix}, {remaining} left",
            disable=len(sizes) < 2,
        )

    def rate(self):
        """Say how fast it went so far."""
        hours, minutes = self._sound_s / 3600, (time.perf_counter() - self._started_s) / 60
        return f"{hours / minutes:.2f} h of sound a minute"

    def add(self, outcome, size):
        """Count a recording."""
        self._n_done += 1
        self._sound_s += outcome.duration_s
        self._bar.set_postfix_str(f"{self._n_done} of {self._n_all}, {self.rate()}", refresh=False)
        self._bar.update(size)

    def close(self):
        """Leave the bar."""
        self._bar.close()


def apply_to(recordings, batch, model, *, reference=None, workers=None, device="cpu", say=print):
    """Analyse recordings that were not analysed before; those that cannot be are listed.

    Parameters
    ----------
    recordings : sequence of tfseg.apply.listing.Recording
    batch : Batch
    model : tfseg.inference.model_folder.ModelFolder
    reference : dict of str to list or None
        Known events by the name of the recording.
    workers : int or None
        Processes, with one thread each; None: this process, with its threads.
    device : str
        Of the processes' models.
    say : callable
        Takes a line on each recording: on those of before, then on the others, in their order.

    Returns
    -------
    done : dict of str to str
        Path by name of each recording whose results are there.
    failures : dict of (str, str) to str
        Reason by name and path of each of the others.
    """
    known, done, failures = KnownDigests(batch.out), {}, {}

    def note(recording, state, outcome):
        if outcome.reason is None:
            done[recording.name] = str(recording.path)
            known.add(recording.name, state, outcome.sha256)
        else:
            failures[recording.name, str(recording.path)] = outcome.reason
        with beside_bars():
            say(outcome.line)

    new, states = [], []
    for recording in recordings:
        state = state_of(recording.path)
        outcome = _found_before(recording, batch, model, known.get(recording.name, state))
        if outcome is None:
            new.append(recording)
            states.append(state)
        else:
            note(recording, state, outcome)
    if done and new:
        say(f"{len(done)} of {len(recordings)} recordings have their results: {len(new)} to do")
    sizes = [0 if state is None else state[1] for state in states]
    items = [(recording, (reference or {}).get(recording.name)) for recording in new]
    progress = _Progress(sizes)
    outcomes = _outcomes(items, batch, model, workers, device)
    for recording, state, size, outcome in zip(new, states, sizes, outcomes, strict=True):
        progress.add(outcome, size)
        note(recording, state, outcome)
    progress.close()
    if len(new) > 1:
        say(f"{len(new)} recordings analysed, {progress.rate()}")
    return done, failures
