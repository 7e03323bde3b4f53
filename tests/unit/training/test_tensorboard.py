"""The curves of a training, as TensorBoard's own reader sees them."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from toy_training import bits, changed

pytest.importorskip("tensorboard")
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.io_wrapper import GetLogdirSubdirectories

from tfseg.training.tensorboard import Curves, example_clips

SETTINGS = changed(history_every=1, state_every=4)


@pytest.fixture
def curves(tmp_path, toy):
    """Return a function that makes what a job calls with each row of the history."""
    data = SimpleNamespace(logmel=toy[0], target=toy[1], classes=("hum", "a b/c", "hole"))
    return lambda folder="board": Curves(tmp_path / folder, data)


def read(folder):
    """Everything that TensorBoard shows of a folder."""
    assert list(GetLogdirSubdirectories(str(folder))) == [str(folder)]
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
    return events.Reload()


def test_clips_to_show_have_different_classes():
    target = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0]])
    assert example_clips(target) == [2, 3, 0]
    assert example_clips(target[:2]) == [1, 0]


def test_scalars_are_those_of_the_history_and_masks_are_pictures(run, curves, tmp_path):
    trained = run(SETTINGS, on_history=curves())
    events = read(tmp_path / "board")
    for column, tag in ((1, "loss"), (2, "learning_rate")):
        found = [(event.step, event.value) for event in events.Scalars(tag)]
        assert found == [(row[0], pytest.approx(row[column])) for row in trained.history]
    names = events.Tags()["images"]
    assert "clip_0/log_mel" in names and any(name.endswith("_hum") for name in names)
    (first, *others) = [name for name in names if "mask" in name]
    assert len(events.Images(first)) == 10 and others
    picture = events.Images(first)[0]
    assert (picture.width, picture.height) == (12, 13)


def test_a_killed_training_goes_on_in_the_same_curve(run, curves, tmp_path):
    def killed(iteration, *row):
        writes(iteration, *row)
        if iteration == 6:  # the state is that of iteration 4
            raise KeyboardInterrupt

    whole = run(SETTINGS, state="whole", on_history=curves("whole"))
    writes = curves()
    with pytest.raises(KeyboardInterrupt):
        run(SETTINGS, on_history=killed)
    assert [event.step for event in read(tmp_path / "board").Scalars("loss")] == [1, 2, 3, 4, 5, 6]
    trained = run(SETTINGS, on_history=curves())
    assert bits(trained.network) == bits(whole.network)
    one, two = read(tmp_path / "board"), read(tmp_path / "whole")
    assert one.Tags() == two.Tags()
    for tag in one.Tags()["scalars"]:
        values = [[(e.step, e.value) for e in events.Scalars(tag)] for events in (one, two)]
        assert values[0] == values[1]
    for tag in one.Tags()["images"]:
        steps = [[(e.step, e.encoded_image_string) for e in x.Images(tag)] for x in (one, two)]
        assert steps[0] == steps[1]


def test_curves_change_no_weights(run, curves):
    settings = changed(history_every=1, average_weights=0.9)
    with_curves = run(settings, state="a", on_history=curves())
    assert bits(with_curves.network) == bits(run(settings, state="b").network)


def test_networks_without_masks_show_frames(curves, tmp_path):
    class Frames(torch.nn.Module):
        has_masks = False

        def __init__(self):
            super().__init__()
            self.register_buffer("band_mean", torch.zeros(13))

        def forward(self, logmel):
            return torch.zeros(1, 3), torch.full((1, 3, 12), 0.5)

    curves()(1, 0.5, 0.1, Frames())
    picture = read(tmp_path / "board").Images("clip_0/frames")[0]
    assert (picture.width, picture.height) == (12, 3)
