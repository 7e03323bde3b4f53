"""Stopping a training at any time, and resuming it."""

import contextlib
import hashlib
import json
import signal
import threading
from pathlib import Path

import torch

from tfseg.errors import TfsegError
from tfseg.io.tensors import load_tensors, save_tensors


class Interrupted(TfsegError):
    """Training was stopped by a signal; its state is saved."""


@contextlib.contextmanager
def stop_requested():
    """Turn SIGTERM into a flag, so that the state is saved between iterations."""
    flag = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield flag
        return
    previous = signal.signal(signal.SIGTERM, lambda *_: flag.set())
    try:
        yield flag
    finally:
        signal.signal(signal.SIGTERM, previous)


def binding(data_sha256, code_digest, description, seed):
    """Hash all that determines a training's result; a state with another hash is not resumed.

    Parameters
    ----------
    data_sha256, code_digest : str
    description : dict
        The system and its settings, plain values.
    seed : int
    """
    text = json.dumps(
        [data_sha256, code_digest, description, seed, torch.__version__], sort_keys=True
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _below(tensors, prefix):
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


class State:
    """Everything that a training needs to resume, in one file that is written whole.

    Parameters
    ----------
    path : path-like
    bound_to : str
        `binding` of the training; a state that is bound to something else is not used.
    """

    def __init__(self, path, bound_to):
        self._path, self._bound_to = Path(path), bound_to

    def save(self, network, optimiser, average, iteration, history, pending):
        """Save all; `pending` are the losses since the last row of the history."""
        tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
        tensors |= {f"optimiser.{name}": value for name, value in optimiser.tensors().items()}
        tensors |= {f"average.{name}": value for name, value in average.tensors().items()}
        save_tensors(
            self._path,
            tensors,
            {
                "binding": self._bound_to,
                "iteration": iteration,
                "history": history,
                "pending": pending,
            },
        )

    def load(self, network, optimiser, average, log):
        """Restore the last state; returns (iteration, history, pending), from 0 when none fits."""
        if not self._path.exists():
            return 0, [], []
        tensors, state = load_tensors(self._path)
        if state["binding"] != self._bound_to:
            log("found a saved state of other data or parameters: starting anew")
            return 0, [], []
        network.load_state_dict(_below(tensors, "network."))
        optimiser.load(_below(tensors, "optimiser."))
        average.load(_below(tensors, "average."))
        return state["iteration"], state["history"], state["pending"]
