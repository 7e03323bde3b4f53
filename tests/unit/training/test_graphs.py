"""Steps as graphs, with a stand-in for CUDA graphs that replays operations on the CPU."""

import numpy as np
import pytest
from stand_in_graph import Recorder
from toy_training import ALL_TERMS, AUGMENTED, SPLICED, Bar, bits, changed

from tfseg.errors import TfsegError
from tfseg.models.systems import build_network
from tfseg.training import loop, losses
from tfseg.training.initial import initial_network
from tfseg.training.loop import train
from tfseg.training.state import Interrupted
from tfseg.training.step import Step

# Float32 holds these learning rates exactly, as a graph's tensor has to.
EXACT = {"learning_rate": 2.0**-7, "learning_rate_decay": 0.5, "iterations": 12}


@pytest.fixture
def trained(toy, tmp_path, monkeypatch):
    """Return a function that trains a network with dropout: network, history."""
    monkeypatch.setattr(loop, "CudaRecorder", Recorder)

    def build(dropout, system="gap"):
        return build_network(
            system,
            n_classes=3,
            n_mels=13,
            trunk_settings={
                "kind": "unet",
                "unet": {"widths": [4, 8], "blocks": 1, "dropout": dropout},
                "background": False,
                "share_energy": False,
            },
            pooling_settings={"gwrp": {"r": 0.99, "reference_units": 100}},
        )

    def run(
        name, *, graph, system="gap", dropout=0.5, taught=False, precision="float32", **arguments
    ):
        changes = {key: arguments.pop(key) for key in list(arguments) if hasattr(changed(), key)}
        network = initial_network(lambda: build(dropout, system), 3, toy[0])
        network.precision = precision
        history = train(
            network,
            *toy,
            changed(**EXACT | changes),
            seed=3,
            state_path=tmp_path / name,
            bound_to="this",
            teacher=initial_network(lambda: build(0.0), 4, toy[0]).eval() if taught else None,
            log=lambda text: None,
            graph=graph,
            **arguments,
        )
        return network, history

    return run


@pytest.mark.parametrize(
    "changes",
    [{}, {"augmentation": AUGMENTED}, {"taught": True}, {"precision": "bfloat16"},
     {"excerpt_frames": 8}, {"system": "gwrp", "precision": "bfloat16"},
     {"splice": SPLICED, "terms": ALL_TERMS}],
    ids=["dropout", "augmentation", "teacher", "bfloat16", "excerpts", "gwrp", "terms"],
)  # fmt: skip
def test_replayed_steps_give_the_same_weights_and_history(trained, changes):
    eager, graph = trained("eager", graph=False, **changes), trained("graph", graph=True, **changes)
    assert bits(graph[0]) == bits(eager[0])
    assert graph[1] == eager[1]


def test_the_average_is_the_same_to_rounding(trained):
    eager, _ = trained("eager", graph=False, average_weights=0.9)
    graph, _ = trained("graph", graph=True, average_weights=0.9)
    for name, value in eager.state_dict().items():
        np.testing.assert_allclose(graph.state_dict()[name], value, rtol=1e-5, atol=1e-7)


def test_each_batch_size_is_recorded_once_and_then_replayed(trained):
    trained("graph", graph=True)  # ten clips in batches of four: 4, 4, 2
    own = ["warm-up", "record"]
    replays = ["replay 1", "replay 1", "replay 2"]
    assert Recorder.last.events == own + replays[:2] + own + replays[2:] + 3 * replays


def test_a_stopped_training_goes_on_with_new_graphs_to_the_same_weights(trained):
    whole = trained("whole", graph=True)
    with pytest.raises(Interrupted):
        trained("cut", graph=True, progress=Bar(stop_after=5))
    again = trained("cut", graph=True)
    assert bits(again[0]) == bits(whole[0])
    assert again[1] == whole[1]
    eager = trained("other", graph=False)
    assert again[1] == eager[1]


def test_a_number_that_is_not_in_a_tensor_would_be_noticed(trained, monkeypatch):
    begin, total = Step.begin, losses.total

    def remembering(self, iteration):
        begin(self, iteration)
        self.number = iteration
        remembering.step = self

    def scaled(*arguments, **named):
        return total(*arguments, **named) * (1 + remembering.step.number)

    monkeypatch.setattr(Step, "begin", remembering)
    monkeypatch.setattr(losses, "total", scaled)
    eager, graph = trained("eager", graph=False), trained("graph", graph=True)
    assert graph[1] != eager[1]


def test_a_step_that_cannot_be_recorded_says_what_to_do(trained, monkeypatch):
    def fail(self, work):
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(Recorder, "record", fail)
    with pytest.raises(TfsegError, match=r"not permitted.*set training\.graph to never"):
        trained("graph", graph=True)
