"""The whole config: its top-level keys and its sections."""

from typing import Annotated, Literal

from pydantic import Field

from tfseg.settings.fields import Declared, EachOnce, PlainPath, Section, Text, setting
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
from tfseg.settings.sections.variants import NAME_IN_WORDS, UNET, Name, Variant


class Experiment(Section):
    """An experiment; the defaults are TASLP 2019 at full scale."""

    run: str = setting(
        "tfseg2019",
        "Results go to results/<run>/",
        max_length=100,
        pattern="^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        json={"in_words": "a folder's name of the letters a to z, digits, _ . and -, no spaces"},
    )
    seed: int = setting(1234, "Seed of all random choices", ge=0)
    repeats: int = setting(1, "Independent trainings of each system, counted from 0", ge=1, le=1000)
    model: PlainPath | None = setting(
        None, "Folder of a trained model, to apply or export; null: this run's"
    )
    recordings: Text | Annotated[list[Text], Field(min_length=1)] | None = setting(
        None, "Recordings to analyse: a file, a folder or a list of files"
    )
    reference: PlainPath | None = setting(
        None, "Known events of these recordings (DESED's table), shown beside the detected ones"
    )
    data_root: PlainPath = setting("data", "Folder of the downloads; files already in it are used")
    precision: Literal["auto", "float32", "bfloat16"] = setting(
        "auto", "Precision of the networks; auto: bfloat16 where the hardware supports it"
    )
    container: Text | None = setting(
        None, "Container image for jobs with --sdm apptainer: a path or an address"
    )
    compare_with: Literal["tfseg2019", "jsc2018"] | None = setting(
        "tfseg2019", "Paper whose printed values are shown in the tables; null: none"
    )
    download: Download = setting(Download, "Download of recordings")
    corpus: Corpus = setting(Corpus, "The recordings, and the classes to detect in them")
    split: Split = setting(Split, "Assignment of recordings to folds")
    mixing: Mixing = setting(Mixing, "Mixing of clips from events and scenes")
    features: Features = setting(Features, "Log-mel spectrograms and ideal masks")
    systems: Annotated[EachOnce[str], Field(min_length=1)] = setting(
        ["gmp", "gap", "gwrp"], "Systems and variants to train and compare"
    )
    trunk: Trunk = setting(Trunk, "Networks that compute masks")
    pooling: dict[str, Declared] = setting({}, "From masks to tags")
    baselines: dict[str, Declared] = setting({}, "Compared systems, without masks")
    variants: dict[Name, Variant] = setting(
        UNET, "Systems with a recipe of their own", json={"names_in_words": NAME_IN_WORDS}
    )
    training: Training = setting(Training, "Training of the networks")
    inference: Inference = setting(Inference, "Application of the networks to the clips of a run")
    postprocessing: Postprocessing = setting(Postprocessing, "From frame scores to events")
    metrics: Metrics = setting(Metrics, "Metrics of scores and events")
    intervals: Intervals = setting(Intervals, "Confidence intervals of the metrics")
    comparison: Comparison = setting(Comparison, "Comparison of systems with a reference system")
    separation: Separation = setting(Separation, "Separation with masks, and its scores")
    tables: Tables = setting(Tables, "What tables show")
    figures: Figures = setting(Figures, "What figures show")
    soundscapes: Soundscapes = setting(
        [], "Long recordings from one fold's events and scenes (figures.fold), to try a model on"
    )
    apply: Apply = setting(Apply, "Application of a model to recordings")
