"""What a config implies: the sets that span the grid, and what a run can do at all.

Imports no torch and no pandas: the DAG is built from it, by every job of a cluster.
"""

import functools
import itertools
import math
from dataclasses import dataclass

from tfseg.datasets.corpora import find_corpora
from tfseg.reporting.tables.registry import TABLES
from tfseg.settings.comparing import changed_keys, sorted_keys
from tfseg.settings.recipes import find_recipe
from tfseg.snr import snr_to_path


@dataclass(frozen=True)
class Training:
    """One training, and the scoring of the fold that it leaves out.

    Attributes
    ----------
    snr_db : float or None
    system : str
    fold : int
    repeat : int
    """

    snr_db: float | None
    system: str
    fold: int
    repeat: int

    def in_path(self, pattern):
        """Fill these keys into a pattern of `tfseg.run.paths.Paths`."""
        return pattern.format(
            snr=snr_to_path(self.snr_db), system=self.system, fold=self.fold, repeat=self.repeat
        )


@dataclass(frozen=True)
class Experiment:
    """What follows from a checked config.

    Parameters
    ----------
    config : dict
        Merged, as `tfseg.settings.checks.check_config` accepts it.
    """

    config: dict

    @property
    def kind(self):
        """Kind of the corpus."""
        return self.config["corpus"]["kind"]

    @property
    def is_clips(self):
        """Whether the recordings already are mixtures: no SNR, nothing mixed, no ideal mask."""
        return find_corpora()[self.kind].is_clips

    @property
    def classes(self):
        """Labels of the classes."""
        return self.config["corpus"]["classes"]

    @property
    def folds(self):
        """Numbers of all folds; a fixed split has two: 1 is held out, 2 is trained on."""
        split = self.config["split"]
        return [1, 2] if split["kind"] == "fixed" else list(range(1, split["folds"] + 1))

    @property
    def held_out(self):
        """Folds that a model is tested on."""
        return [1] if self.config["split"]["kind"] == "fixed" else self.folds

    @property
    def mixtures_per_fold(self):
        """Numbers of mixtures, in the order of `folds`."""
        given = self.config["mixing"]["mixtures_per_fold"]
        return given if isinstance(given, list) else [given] * len(self.folds)

    @property
    def snrs_db(self):
        """All SNRs; a single None for clips as recorded."""
        return [None] if self.is_clips else [float(snr) for snr in self.config["mixing"]["snr_db"]]

    @property
    def systems(self):
        """Names of the systems."""
        return self.config["systems"]

    @functools.cached_property
    def recipes(self):
        """What each system's name stands for: name to `tfseg.settings.recipes.Recipe`."""
        return {system: find_recipe(self.config, system) for system in self.systems}

    @property
    def repeats(self):
        """Numbers of the repeats."""
        return list(range(self.config["repeats"]))

    @property
    def mask_systems(self):
        """Systems that have masks."""
        return [system for system in self.systems if self.recipes[system].facts.has_masks]

    @property
    def separates(self):
        """Whether sounds are separated: that needs masks, and references to compare with."""
        return bool(self.mask_systems) and not self.is_clips

    @property
    def tunes(self):
        """Whether thresholds are chosen on validation clips."""
        return self.config["postprocessing"]["tune"]

    @property
    def reference(self):
        """System that the others are compared with."""
        return self.config["comparison"]["reference"] or self.systems[0]

    @property
    def example_snr_db(self):
        """SNR of the mixture that the examples show."""
        return None if self.is_clips else float(self.config["figures"]["snr_db"])

    @property
    def by_class_snr_db(self):
        """SNR that the printed tables by class show."""
        return None if self.is_clips else float(self.config["tables"]["by_class_snr_db"])

    @property
    def clip_s(self):
        """Seconds that a network sees of a clip in training; ready clips differ in length."""
        section, key = ("training", "excerpt_s") if self.is_clips else ("mixing", "duration_s")
        return self.config[section][key]

    @property
    def corpus_tables(self):
        """Names of the tables that a corpus is."""
        return [*(["clips"] if self.is_clips else ["events", "scenes"]), "attribution"]

    @property
    def tables(self):
        """Names of the tables of results."""
        return [name for name, of in TABLES.items() if self.tunes or not of.needs_tuning]

    @property
    def soundscapes(self):
        """File names of the long recordings."""
        return [entry["name"] for entry in self.config["soundscapes"]]

    @functools.cached_property
    def shards(self):
        """Numbers of the shards that the mixtures (or clips) of a fold are dealt to, by fold."""
        n_kinds = len(self.config["mixing"]["kinds"])
        if self.is_clips:
            n_clips = find_corpora()[self.kind].n_clips(self.config["data_root"])
            sizes = [math.ceil(n_clips / len(self.folds))] * len(self.folds)
        else:
            sizes = [n_mixtures * n_kinds for n_mixtures in self.mixtures_per_fold]
        shard_size = self.config["mixing"]["shard_size"]
        return {
            fold: list(range(math.ceil(size / shard_size)))
            for fold, size in zip(self.folds, sizes, strict=True)
        }

    def trainings(self, *, snrs_db=None, systems=None, folds=None, repeats=None):
        """All trainings, or those of some values.

        Parameters
        ----------
        snrs_db, systems, folds, repeats : sequence or None
            None for all.

        Returns
        -------
        trainings : list of Training
            By SNR, then system, repeat and fold.
        """
        axes = (
            self.snrs_db if snrs_db is None else snrs_db,
            self.systems if systems is None else systems,
            self.repeats if repeats is None else repeats,
            self.held_out if folds is None else folds,
        )
        return [
            Training(snr_db, system, fold, repeat)
            for snr_db, system, repeat, fold in itertools.product(*axes)
        ]

    def example_trainings(self):
        """Trainings whose models are run on the examples: one of each system."""
        return self.trainings(
            snrs_db=[self.example_snr_db],
            folds=[self.config["figures"]["fold"]],
            repeats=self.repeats[:1],
        )

    def section(self, name, *keys):
        """A section of the config (only some keys of it when given), for a rule's params."""
        values = self.config[name]
        return sorted_keys({key: values[key] for key in keys} if keys else values)

    def _section_without(self, name, left_out):
        return self.section(name, *(key for key in self.config[name] if key != left_out))

    def event_settings(self):
        """How events come from frame scores: whether that is tuned is none of it."""
        return self._section_without("postprocessing", "tune")

    def metric_settings(self):
        """What values of metrics depend on: the number of processes is none of it."""
        return self._section_without("metrics", "processes")

    def apply_settings(self):
        """What is found in a recording depends on this: the number of threads is none of it."""
        return self._section_without("apply", "threads")

    def fixed_thresholds(self):
        """Thresholds of the experiment: those of every model that is not tuned."""
        return self.section(
            "metrics", "tag_threshold", "tag_gate", "frame_threshold", "mask_threshold"
        )

    def grid(self):
        """The keys of `features` that make a time grid."""
        return self.section("features", "sample_rate", "window_length", "hop_length")

    def baseline_settings(self, *systems):
        """Settings of some systems that are networks of their own."""
        known, networks = self.config["baselines"], [self.recipes[name].network for name in systems]
        return sorted_keys({name: known[name] for name in networks if name in known})

    def reported(self):
        """What the report says of the config."""
        return reported_config(self.config)

    def changes(self, defaults):
        """Where this experiment differs from the defaults, which are the paper's."""
        return changed_keys(reported_config(defaults), self.reported())


def reported_config(values):
    """What the report says of a config: numbers of processes and an image change no result."""
    sections = {
        key: (
            {k: v for k, v in value.items() if k != "processes"}
            if isinstance(value, dict)
            else value
        )
        for key, value in values.items()
        if key != "container"
    }
    return sorted_keys(sections)
