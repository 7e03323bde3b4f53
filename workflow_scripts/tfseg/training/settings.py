"""Settings of a training, from the section ``training`` of the config."""

from dataclasses import dataclass

from tfseg.training.augmentation import AugmentationSettings
from tfseg.training.splicing import SpliceSettings
from tfseg.training.terms import TermSettings


@dataclass(frozen=True)
class TrainingSettings:
    """Keys of ``training`` in the config.

    Parameters
    ----------
    iterations, batch_size : int
    learning_rate : float
        Adam's initial learning rate.
    learning_rate_decay : float
        Factor applied every `decay_every` iterations.
    decay_every : int
    kinds : list of str or None
        Kinds of clip to train on, out of ``mixing.kinds``; None: all. Scenes alone are negatives
        of every class.
    augmentation : tfseg.training.augmentation.AugmentationSettings
    splice : tfseg.training.splicing.SpliceSettings
    terms : tfseg.training.terms.TermSettings
    average_weights : float in [0, 1)
        Decay of the exponential moving average of the weights, which becomes the model (Tarvainen
        and Valpola, NeurIPS 2017). 0: the last weights, as released.
    teacher_weight : float
        Weight of the loss between the masks and a teacher's masks, where the system has a teacher.
    excerpt_s : float or None
        Length of the random excerpt that a batch takes of every clip (a shorter clip is repeated).
        None takes whole clips, which must all have one length.
    threads : int
        Torch's CPU threads; part of the recipe, since the last bit of sums depends on it.
    compile : bool
        Whether torch compiles the network first (needs a C++ compiler).
    graph : {"auto", "always", "never"}
        Whether a step is one CUDA graph (`tfseg.job.hardware.choose_graph`).
    history_every : int
        Iterations between rows of ``history.csv``.
    state_every : int
        Iterations between saves of the state to resume from.
    """

    iterations: int
    batch_size: int
    learning_rate: float
    learning_rate_decay: float
    decay_every: int
    kinds: list | None
    augmentation: AugmentationSettings
    splice: SpliceSettings
    terms: TermSettings
    average_weights: float
    teacher_weight: float
    excerpt_s: float | None
    threads: int
    compile: bool
    graph: str
    history_every: int
    state_every: int

    def rate(self, iteration):
        """Return the learning rate of an iteration (from 0)."""
        return self.learning_rate * self.learning_rate_decay ** (iteration // self.decay_every)


def read_settings(section):
    """Build `TrainingSettings` from the section ``training`` of the config.

    ``start_from`` decides the first weights, and ``tensorboard`` what is written of a training:
    neither is a setting of the loop.
    """
    parts = {
        "augmentation": AugmentationSettings(**section["augmentation"]),
        "splice": SpliceSettings(**section["splice"]),
        "terms": TermSettings(**section["terms"]),
    }
    others = ("start_from", "tensorboard")
    section = {key: value for key, value in section.items() if key not in others}
    return TrainingSettings(**section | parts)
