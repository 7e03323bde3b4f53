"""Settings and helpers of trainings that take a fraction of a second."""

import dataclasses
import os
import signal

from tfseg.io.tensors import load_tensors
from tfseg.training.augmentation import AugmentationSettings
from tfseg.training.loop import train
from tfseg.training.settings import TrainingSettings
from tfseg.training.splicing import SpliceSettings
from tfseg.training.terms import TermSettings

UNCHANGED = AugmentationSettings(0, False, 0, 0, 0)
WHOLE = SpliceSettings(share=0, added=0, cuts=1, negatives=1, agreement=0, ramp=0, tags="absent")
NO_TERMS = TermSettings(0, 0, 0, 0, 0, 0.5)
SETTINGS = TrainingSettings(
    iterations=10,
    batch_size=4,
    learning_rate=0.01,
    learning_rate_decay=0.5,
    decay_every=3,
    kinds=None,
    augmentation=UNCHANGED,
    splice=WHOLE,
    terms=NO_TERMS,
    average_weights=0.0,
    teacher_weight=1.0,
    excerpt_s=None,
    threads=1,
    compile=False,
    graph="auto",
    history_every=4,
    state_every=3,
)
AUGMENTED = AugmentationSettings(
    mixup=0.5, time_shift=True, gain_db=6.0, band_gain_db=6.0, mel_shift=2
)

SPLICED = SpliceSettings(
    share=0.5, added=0.5, cuts=2, negatives=1.0, agreement=1.0, ramp=0, tags="absent"
)
ALL_TERMS = TermSettings(0.1, 0.1, 0.1, 0.1, 0.1, 0.5)


def changed(**changes):
    """Return `SETTINGS` with some changed."""
    return dataclasses.replace(SETTINGS, **changes)


def bits(network):
    """Return a network's tensors by name, as bytes."""
    return {name: value.numpy().tobytes() for name, value in network.state_dict().items()}


def iteration_of(path):
    """Return the iteration of a saved state."""
    return load_tensors(path)[1]["iteration"]


class Bar:
    """A progress bar that requests a stop after some iterations."""

    def __init__(self, stop_after=None):
        self.updates, self.stop_after, self.closed = 0, stop_after, False
        self.total = self.initial = None

    def __call__(self, total, initial):
        self.total, self.initial = total, initial
        return self

    def update(self):
        self.updates += 1
        if self.updates == self.stop_after:
            os.kill(os.getpid(), signal.SIGTERM)

    def set_postfix(self, **_):
        pass

    def close(self):
        self.closed = True


def train_quietly(network, data, state_path, settings=SETTINGS, **arguments):
    """Train a network on (log-mel, target), with nothing said."""
    return train(
        network,
        *data,
        settings,
        seed=3,
        state_path=state_path,
        bound_to="this",
        log=lambda text: None,
        **arguments,
    )
