"""Stopping, resuming, and states that are damaged."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from toy_training import (
    ALL_TERMS,
    AUGMENTED,
    SETTINGS,
    SPLICED,
    Bar,
    bits,
    changed,
    iteration_of,
    train_quietly,
)

from tfseg.errors import DamagedFileError
from tfseg.io.tensors import load_tensors
from tfseg.training.initial import initial_network
from tfseg.training.state import Interrupted, binding


def test_binding_depends_on_everything():
    description = {"training": dataclasses.asdict(SETTINGS), "system": "gap"}
    one = binding("data", "code", description, 3)
    assert one == binding("data", "code", dict(reversed(description.items())), 3)
    every = {
        one,
        binding("other", "code", description, 3),
        binding("data", "other", description, 3),
        binding("data", "code", description | {"system": "gmp"}, 3),
        binding("data", "code", description | {"training": {"threads": 2}}, 3),
        binding("data", "code", description, 4),
    }
    assert len(every) == 6


@pytest.mark.parametrize("stops", [[5], [1, 1], [2, 3, 4], [9], [4], [3]])
def test_a_stopped_training_resumes_bit_for_bit(run, tmp_path, stops):
    whole = run(state="whole")
    done = 0
    for stop_in in stops:
        bar = Bar()
        with pytest.raises(Interrupted, match=f"stopped at iteration {done + stop_in};"):
            run(stop_in=stop_in, progress=bar)
        assert bar.initial == done
        done += stop_in
        assert iteration_of(tmp_path / "state.safetensors") == done
    resumed = run()
    assert resumed.messages == [f"resuming at iteration {done} of 10"]
    assert bits(resumed.network) == bits(whole.network)
    assert resumed.history == whole.history


@pytest.mark.parametrize("stop_after", [1, 4, 5])
def test_the_state_is_saved_whenever_the_stop_is_asked_for(run, tmp_path, stop_after):
    # The signal arrives at the end of an iteration, while the bar is drawn.
    with pytest.raises(Interrupted) as caught:
        run(progress=Bar(stop_after))
    said = int(str(caught.value).split()[3].rstrip(";"))
    assert said in (stop_after, stop_after + 1)
    assert iteration_of(tmp_path / "state.safetensors") == said


def test_a_stop_in_the_last_iteration_is_no_stop(run):
    assert run(stop_in=10).history == run(state="whole").history


def test_a_finished_training_is_not_trained_further(run):
    one = run()
    bar = Bar()
    two = run(progress=bar)
    assert bar.updates == 0
    assert two.messages == ["resuming at iteration 10 of 10"]
    assert bits(one.network) == bits(two.network)
    assert one.history == two.history


def test_the_handler_of_the_signal_is_put_back(run):
    before = signal.getsignal(signal.SIGTERM)
    run()
    assert signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(Interrupted):
        run(state="stopped", stop_in=2)
    assert signal.getsignal(signal.SIGTERM) is before


def test_training_runs_in_a_thread_where_no_signal_can_be_caught(run):
    results = []
    thread = threading.Thread(target=lambda: results.append(run(state="thread")))
    thread.start()
    thread.join()
    assert bits(results[0].network) == bits(run(state="main").network)


_KILLED = """
import sys
import numpy as np
from tfseg.models.systems import build_network
from tfseg.training.initial import initial_network
from tfseg.training.loop import train
from tfseg.training.settings import read_settings

def build():
    return build_network("gap", n_classes=3, n_mels=13,
                         trunk_settings={"kind": "vgg", "vgg": {"widths": [4, 4], "dropout": 0.0}, "background": False, "share_energy": False}, pooling_settings={})

toy = np.load(sys.argv[1])
settings = read_settings({**eval(sys.argv[3]), "iterations": 10**6})
train(initial_network(build, 3, toy["logmel"]), toy["logmel"], toy["target"], settings, seed=3,
      state_path=sys.argv[2], bound_to="this")
"""


def test_a_killed_training_resumes_bit_for_bit(run, toy, tmp_path, repository):
    settings = changed(learning_rate_decay=0.99, state_every=2)
    np.savez(tmp_path / "toy.npz", logmel=toy[0], target=toy[1])
    state = tmp_path / "killed" / "state.safetensors"
    command = [sys.executable, "-c", _KILLED, tmp_path / "toy.npz", state]
    process = subprocess.Popen(
        [*map(str, command), repr(dataclasses.asdict(settings))],
        env=os.environ | {"PYTHONPATH": str(repository / "workflow_scripts")},
    )
    try:
        deadline = time.monotonic() + 60
        while not (state.exists() and iteration_of(state) >= 10):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.kill()  # always: it would train forever
        process.wait()
    assert process.returncode == -signal.SIGKILL
    done = iteration_of(state)
    settings = dataclasses.replace(settings, iterations=done + 5)
    resumed = run(settings, state="killed/state")
    assert resumed.messages == [f"resuming at iteration {done} of {done + 5}"]
    whole = run(settings, state="whole")
    assert bits(resumed.network) == bits(whole.network)
    assert resumed.history == whole.history


def test_a_state_of_another_binding_is_not_used(run):
    whole = run(state="whole")
    with pytest.raises(Interrupted):
        run(bound_to="other data", stop_in=6)
    again = run()
    assert again.messages == ["found a saved state of other data or parameters: starting anew"]
    assert bits(again.network) == bits(whole.network)
    assert again.history == whole.history


def test_saving_leaves_no_litter(run, tmp_path):
    run()
    assert [path.name for path in tmp_path.iterdir()] == ["state.safetensors"]


def test_training_on_excerpts_resumes_to_the_same_weights(run, toy):
    clips = [clip[: 12 - i % 3] for i, clip in enumerate(toy[0])], toy[1]
    whole = run(state="whole", data=clips, excerpt_frames=8)
    with pytest.raises(Interrupted):
        run(state="cut", data=clips, excerpt_frames=8, stop_in=5)
    assert bits(run(state="cut", data=clips, excerpt_frames=8).network) == bits(whole.network)


def _noisy(build_tiny):
    """A network with dropout, whose weights depend on dropout's random values."""
    from tfseg.models.systems import build_network

    return build_network(
        "gap",
        n_classes=3,
        n_mels=13,
        trunk_settings={
            "kind": "vgg",
            "vgg": {"widths": [4, 4], "dropout": 0.5},
            "background": False,
            "share_energy": False,
        },
        pooling_settings={},
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"augmentation": AUGMENTED},
        {"average_weights": 0.9},
        {"average_weights": 0.9, "splice": SPLICED, "terms": ALL_TERMS},
    ],
    ids=["dropout", "augmentation", "average", "terms"],
)
def test_all_that_is_drawn_or_averaged_survives_a_stop(tmp_path, toy, build_tiny, changes):
    settings = changed(**changes)
    whole = initial_network(lambda: _noisy(build_tiny), 3, toy[0])
    train_quietly(whole, toy, tmp_path / "whole", settings)
    torch.randn(7)  # other random draws do not matter
    stopped = initial_network(lambda: _noisy(build_tiny), 3, toy[0])
    with pytest.raises(Interrupted):
        train_quietly(stopped, toy, tmp_path / "stopped", settings, progress=Bar(stop_after=4))
    resumed = initial_network(lambda: _noisy(build_tiny), 3, toy[0])
    train_quietly(resumed, toy, tmp_path / "stopped", settings)
    assert bits(resumed) == bits(whole)


@pytest.fixture
def state(run, tmp_path):
    """The state of a training that was stopped."""
    with pytest.raises(Interrupted):
        run(stop_in=6)
    return tmp_path / "state.safetensors"


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_state_is_refused_by_name(run, state, share):
    content = state.read_bytes()
    state.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DamagedFileError, match=r"state\.safetensors: .*damaged.*Delete the file"):
        run()


@pytest.mark.parametrize(
    "part", [b'"tfseg"', b"sha256", b"iteration", b"history", b"binding", b"network.band_mean"]
)
def test_a_flipped_bit_in_the_header_of_a_state_is_noticed(run, state, flip, part):
    flip(state, state.read_bytes().index(part) + 2, 0x01)
    with pytest.raises(DamagedFileError, match=r"state\.safetensors"):
        run()


def test_a_flipped_bit_in_the_weights_of_a_state_is_noticed(run, state, flip):
    weights = load_tensors(state)[0]["network.trunk.head.weight"].numpy().tobytes()
    content = state.read_bytes()
    assert content.count(weights) == 1
    flip(state, content.index(weights) + 2)
    with pytest.raises(DamagedFileError, match=r"state\.safetensors"):
        run()


def test_a_state_without_description_is_refused_by_name(run, state):
    save_file(load_tensors(state)[0], state)
    with pytest.raises(DamagedFileError, match=r"state\.safetensors"):
        run()
