"""What a config implies: SNRs, systems, folds, repeats, and the possible stages of a run.

Imports neither torch nor pandas, since every job of a cluster builds the DAG.
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
    """One training, and the scoring of its held-out fold.

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
    """An experiment, as a checked config defines it.

    Parameters
    ----------
    config : dict
        Merged config that `tfseg.settings.checks.check_config` accepts.
    """

    config: dict

    @property
    def kind(self):
        """Kind of the corpus."""
        return self.config["corpus"]["kind"]

    @property
    def is_clips(self):
        """Whether the recordings are ready clips: no mixing, no SNR, no ideal masks."""
        return find_corpora()[self.kind].is_clips

    @property
    def classes(self):
        """Labels of the classes."""
        return self.config["corpus"]["classes"]

    @property
    def folds(self):
        """Numbers of all folds; a fixed split has two: 1 is held out, 2 is for training."""
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
        """Recipe of each system: name to `tfseg.settings.recipes.Recipe`."""
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
        """Whether sounds are separated, which needs masks and reference tracks."""
        return bool(self.mask_systems) and not self.is_clips

    @property
    def tunes(self):
        """Whether thresholds are tuned on validation clips."""
        return self.config["postprocessing"]["tune"]

    @property
    def reference(self):
        """System that the others are compared with."""
        return self.config["comparison"]["reference"] or self.systems[0]

    @property
    def example_snr_db(self):
        """SNR of the example mixture."""
        return None if self.is_clips else float(self.config["figures"]["snr_db"])

    @property
    def by_class_snr_db(self):
        """SNR of the printed tables by class."""
        return None if self.is_clips else float(self.config["tables"]["by_class_snr_db"])

    @property
    def clip_s(self):
        """Seconds of a mixture, or of an excerpt of ready clips, in training; None: whole clips."""
        section, key = ("training", "excerpt_s") if self.is_clips else ("mixing", "duration_s")
        return self.config[section][key]

    @property
    def corpus_tables(self):
        """Names of the tables of the corpus."""
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
        """Numbers of the shards of each fold's mixtures (or clips), by fold."""
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
        """List all trainings, or those with the given values.

        Parameters
        ----------
        snrs_db, systems, folds, repeats : sequence or None
            None for all.

        Returns
        -------
        trainings : list of Training
            Sorted by SNR, then system, repeat and fold.
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
        """Trainings whose models are applied to the examples: one of each system."""
        return self.trainings(
            snrs_db=[self.example_snr_db],
            folds=[self.config["figures"]["fold"]],
            repeats=self.repeats[:1],
        )

    def section(self, name, *keys):
        """A section of the config, or only some of its keys, for a rule's params."""
        values = self.config[name]
        return sorted_keys({key: values[key] for key in keys} if keys else values)

    def _section_without(self, name, left_out):
        return self.section(name, *(key for key in self.config[name] if key != left_out))

    def event_settings(self):
        """Settings of the event detection, without `tune`."""
        return self._section_without("postprocessing", "tune")

    def metric_settings(self):
        """Settings that the metrics depend on, without the number of processes."""
        return self._section_without("metrics", "processes")

    def apply_settings(self):
        """Settings that the results of `apply` depend on, without the number of threads."""
        return self._section_without("apply", "threads")

    def fixed_thresholds(self):
        """Fixed thresholds of the experiment, for all models that are not tuned."""
        return self.section(
            "metrics", "tag_threshold", "tag_gate", "frame_threshold", "mask_threshold"
        )

    def grid(self):
        """The keys of `features` that define the time grid."""
        return self.section("features", "sample_rate", "window_length", "hop_length")

    def baseline_settings(self, *systems):
        """Settings of some systems that are networks of their own."""
        known, networks = self.config["baselines"], [self.recipes[name].network for name in systems]
        return sorted_keys({name: known[name] for name in networks if name in known})

    def reported(self):
        """The part of the config that the report shows."""
        return reported_config(self.config)

    def changes(self, defaults):
        """Differences of this experiment from the defaults, which are the paper's."""
        return changed_keys(reported_config(defaults), self.reported())


def reported_config(values):
    """Leave out keys that change no result, such as numbers of processes, for the report."""
    sections = {
        key: (
            {k: v for k, v in value.items() if k not in ("processes", "tensorboard")}
            if isinstance(value, dict)
            else value
        )
        for key, value in values.items()
        if key not in ("container", "recordings", "reference", "model")
    }
    return sorted_keys(sections)
