"""Training of the networks."""

from typing import Annotated, Literal

from pydantic import Field

from tfseg.settings.fields import (
    MANY,
    PlainPath,
    PositiveInteger,
    Seconds,
    Section,
    Share,
    ShareBelowOne,
    setting,
)
from tfseg.settings.sections.mixing import Kinds

Decibels = Annotated[float, Field(ge=0, le=100)]
Weight = Annotated[float, Field(ge=0, le=1_000_000)]


class Augmentation(Section):
    """Data augmentation of each batch; none in the papers."""

    mixup: Share = setting(
        0.0, "Share of clips to which another clip is added, with the union of their tags"
    )
    time_shift: bool = setting(
        False, "Circular time shift of each clip by a random number of frames"
    )
    gain_db: Decibels = setting(0.0, "Largest change of a clip's level", unit="dB")
    band_gain_db: Decibels = setting(
        0.0, "Largest change of the level of four random bands", unit="dB"
    )
    mel_shift: int = setting(0, "Largest shift over mel bands", unit="bands", ge=0, le=1000)


class Splice(Section):
    """Clips that are joined with another clip, by cuts or in sum; none in the papers."""

    share: Share = setting(0.0, "Share of the clips that are joined with another clip")
    added: Share = setting(0.0, "Share of these that are added instead of cut")
    cuts: int = setting(1, "Cuts in a clip: the two clips take turns", ge=1, le=100)
    negatives: Weight = setting(
        1.0, "Weight of -log(1 - mask) in frames where a class cannot sound"
    )
    agreement: Weight = setting(
        0.0, "Weight of the agreement with the averaged network's masks of both whole clips"
    )
    ramp: int = setting(
        0,
        "Iterations in which the weight of the agreement rises from zero",
        unit="iterations",
        ge=0,
        le=MANY,
    )
    tags: Literal["absent", "union"] = setting(
        "absent", "Tags of clips with cuts that count: of classes in neither clip, or all"
    )


class Terms(Section):
    """Weights of further terms of the loss on masks; none in the papers."""

    absent: Weight = setting(0.0, "Of -log(1 - mask) of classes whose tag is zero")
    size: Weight = setting(0.0, "Of the area of the masks of classes whose tag is one")
    overlap: Weight = setting(0.0, "Of the products of pairs of masks")
    consistency: Weight = setting(
        0.0, "Of the magnitude by which all sounds together differ from the mixture"
    )
    reclassified: Weight = setting(
        0.0, "Of the averaged network's tags of what masks keep and of what they leave"
    )
    reclassified_share: float = setting(
        0.5, "Share of a batch's clips that are classified again", gt=0, le=1
    )


class Training(Section):
    """Section ``training``."""

    iterations: PositiveInteger = setting(10000, "Training iterations", unit="batches")
    batch_size: PositiveInteger = setting(24, "Clips in a batch", unit="clips")
    learning_rate: float = setting(1.0e-3, "Of Adam", gt=0, le=1000)
    learning_rate_decay: float = setting(
        0.9, "Factor on the learning rate every decay_every iterations", gt=0, le=1
    )
    decay_every: PositiveInteger = setting(
        200, "Iterations from one decay to the next", unit="iterations"
    )
    kinds: Kinds | None = setting(None, "Which of mixing.kinds to train on; null: all")
    augmentation: Augmentation = setting(Augmentation, "Data augmentation of each batch")
    splice: Splice = setting(Splice, "Clips made of two in each batch")
    terms: Terms = setting(Terms, "Further terms of the loss on masks")
    average_weights: ShareBelowOne = setting(
        0.0, "Decay of the moving average of the weights; 0: none"
    )
    teacher_weight: float = setting(
        1.0, "Weight of the loss against a teacher's masks", ge=0, le=1_000_000
    )
    excerpt_s: Seconds | None = setting(
        None, "Length of the excerpts in a batch; null: whole mixtures", unit="s"
    )
    threads: PositiveInteger = setting(
        4, "CPU threads of a training; the last bits of results depend on it", unit="threads"
    )
    compile: bool = setting(False, "Let torch compile the network first")
    graph: Literal["auto", "always", "never"] = setting(
        "auto", "Whether each step runs as one CUDA graph; auto: on GPUs of NVIDIA"
    )
    history_every: PositiveInteger = setting(
        100, "Iterations per row of history.csv", unit="iterations"
    )
    state_every: PositiveInteger = setting(
        500, "Iterations between states to resume from", unit="iterations"
    )
    start_from: PlainPath | None = setting(
        None, "Folder of a trained model whose weights are trained on; null: first weights"
    )
    tensorboard: bool = setting(False, "Write curves and example masks for TensorBoard")
