import os
import signal
from types import SimpleNamespace

import numpy as np
import pytest
from toy_training import SETTINGS

from tfseg.training.initial import initial_network
from tfseg.training.loop import train


@pytest.fixture
def toy():
    """Ten clips: the classes are steady tones, clicks, and holes in the noise."""
    rng = np.random.default_rng(0)
    target = (rng.random((10, 3)) < 0.5).astype(np.uint8)
    target[:2] = [[1, 1, 1], [0, 0, 0]]
    logmel = rng.normal(-8, 0.5, (10, 12, 13))
    logmel[:, :, 2::4] += 4 * target[:, 0, None, None]
    logmel[:, 1::3, :] += 4 * target[:, 1, None, None]
    logmel[:, 5:9, 4:9] -= 8 * target[:, 2, None, None]
    return logmel.astype(np.float16), target


@pytest.fixture
def run(toy, tmp_path, build_tiny):
    """Return a function that trains a fresh network, with its state in a file of a given name."""

    def run_training(
        settings=SETTINGS, *, state="state", bound_to="this", data=toy, stop_in=None, **arguments
    ):
        messages, passes = [], []
        network = initial_network(lambda: build_tiny("gap"), 3, data[0])

        def stop(*_):
            passes.append(None)
            if len(passes) == stop_in:
                os.kill(os.getpid(), signal.SIGTERM)

        network.register_forward_hook(stop)
        history = train(
            network,
            *data,
            settings,
            seed=3,
            state_path=tmp_path / f"{state}.safetensors",
            bound_to=bound_to,
            log=messages.append,
            **arguments,
        )
        return SimpleNamespace(network=network, history=history, messages=messages)

    run_training.initial = lambda: initial_network(lambda: build_tiny("gap"), 3, toy[0])
    return run_training
