"""All of the config: what stands at its top, and its sections."""

from typing import Annotated, Literal

from pydantic import Field

from tfseg.settings.fields import Declared, EachOnce, PathWithoutBraces, Section, Text, setting
from tfseg.settings.sections.apply import Apply
from tfseg.settings.sections.corpus import Corpus
from tfseg.settings.sections.download import Download
from tfseg.settings.sections.features import Features
from tfseg.settings.sections.inference import Inference
from tfseg.settings.sections.metrics import Metrics
from tfseg.settings.sections.mixing import Mixing
from tfseg.settings.sections.postprocessing import Postprocessing
from tfseg.settings.sections.reporting import Figures, Tables
from tfseg.settings.sections.separation import Separation
from tfseg.settings.sections.soundscapes import Soundscapes
from tfseg.settings.sections.split import Split
from tfseg.settings.sections.statistics import Comparison, Intervals
from tfseg.settings.sections.training import Training
from tfseg.settings.sections.trunk import Trunk
from tfseg.settings.sections.variants import UNET, Name, Variant


class Experiment(Section):
    """An experiment; the defaults are TASLP 2019 at full scale."""

    run: str = setting(
        "tfseg2019",
        "Results go to results/<run>/",
        max_length=100,
        pattern="^[A-Za-z0-9][A-Za-z0-9_.-]*$",
    )
    seed: int = setting(1234, "Every random choice of every stage derives from it", ge=0)
    repeats: int = setting(1, "Independent trainings of each system, counted from 0", ge=1, le=1000)
    model: PathWithoutBraces | None = setting(
        None, "Folder of a trained model, to apply or export; null: this run's"
    )
    recordings: Text | Annotated[list[Text], Field(min_length=1)] | None = setting(
        None, "What is analysed: a file, a folder or a list of files"
    )
    reference: PathWithoutBraces | None = setting(
        None, "What is known to sound in them (DESED's table), shown beside what is found"
    )
    data_root: Text = setting("data", "Downloads; what lies there is used", pattern="^[^{}]*$")
    precision: Literal["auto", "float32", "bfloat16"] = setting(
        "auto", "Of the networks; auto: bfloat16 where the hardware has it"
    )
    container: Text | None = setting(
        None, "Image that jobs run in with --sdm apptainer, a path or an address"
    )
    compare_with: Literal["tfseg2019", "jsc2018"] | None = setting(
        "tfseg2019", "Paper whose printed values stand in the tables; null: none"
    )
    download: Download = setting(Download, "Where recordings are downloaded from")
    corpus: Corpus = setting(Corpus, "Which recordings, and what is looked for in them")
    split: Split = setting(Split, "How recordings are dealt to folds")
    mixing: Mixing = setting(Mixing, "How clips are mixed of events and scenes")
    features: Features = setting(Features, "Log-mel spectrograms and ideal masks")
    systems: Annotated[EachOnce[str], Field(min_length=1)] = setting(
        ["gmp", "gap", "gwrp"], "Systems and variants that are trained and compared"
    )
    trunk: Trunk = setting(Trunk, "Networks that make masks")
    pooling: dict[str, Declared] = setting({}, "From masks to tags")
    baselines: dict[str, Declared] = setting({}, "The compared systems, which have no masks")
    variants: dict[Name, Variant] = setting(UNET, "Systems with a recipe of their own")
    training: Training = setting(Training, "How networks are trained")
    inference: Inference = setting(Inference, "How networks are applied to the clips of a run")
    postprocessing: Postprocessing = setting(Postprocessing, "From frame scores to events")
    metrics: Metrics = setting(Metrics, "How scores and events are judged")
    intervals: Intervals = setting(Intervals, "How sure values are")
    comparison: Comparison = setting(Comparison, "What systems are compared with")
    separation: Separation = setting(Separation, "Separation by masks, and its scores")
    tables: Tables = setting(Tables, "What tables show")
    figures: Figures = setting(Figures, "What figures show")
    soundscapes: Soundscapes = setting(
        [], "Long recordings of one fold's events and scenes (figures.fold), to try a model on"
    )
    apply: Apply = setting(Apply, "A model applied to recordings")
