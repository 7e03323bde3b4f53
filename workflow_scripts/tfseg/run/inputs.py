"""Input functions of the rules, and files together with their keys.

A script that reads many files gets them as records, each with the keys (SNR, system, fold, repeat)
of its files. So no script depends on the order of a rule's inputs.
"""

from dataclasses import dataclass

from tfseg.errors import ConfigError
from tfseg.io.files import content_sha256
from tfseg.models.weights_fit import DESCRIPTION, WEIGHTS
from tfseg.reporting.tables.leaderboard import TABLE as LEADERBOARD
from tfseg.reporting.tables.registry import table_files
from tfseg.run.experiment import Experiment
from tfseg.run.paths import Paths
from tfseg.snr import snr_from_path, snr_to_path


def files_in(nested):
    """Flatten nested lists and dicts of paths, in order."""
    if isinstance(nested, str):
        return [nested]
    parts = nested.values() if isinstance(nested, dict) else nested
    return [path for part in parts for path in files_in(part)]


@dataclass(frozen=True)
class Inputs:
    """The files of an experiment, by the job that needs them.

    Parameters
    ----------
    experiment : Experiment
    paths : Paths
    """

    experiment: Experiment
    paths: Paths

    def of_shards(self, pattern, folds, **wildcards):
        """Paths of all shards of the given folds."""
        return [
            pattern.format(fold=fold, shard=shard, **wildcards)
            for fold in map(int, folds)
            for shard in self.experiment.shards[fold]
        ]

    def of_trainings(self, *names, **values):
        """Files of all trainings, or of those with the given values (`Experiment.trainings`).

        Parameters
        ----------
        *names : str
            Names of paths, such as ``scores``.
        """
        patterns = [getattr(self.paths, name) for name in names]
        trainings = self.experiment.trainings(**values)
        return [training.in_path(pattern) for pattern in patterns for training in trainings]

    def training_features(self, wildcards):
        """Feature files of all folds but the held-out one."""
        folds = [fold for fold in self.experiment.folds if fold != int(wildcards.fold)]
        return self.of_shards(self.paths.features, folds, snr=wildcards.snr)

    def held_out_features(self, wildcards):
        """Feature files of the held-out fold."""
        return self.of_shards(self.paths.features, [wildcards.fold], snr=wildcards.snr)

    def held_out_stems(self, wildcards):
        """Stems of the held-out fold."""
        return self.of_shards(self.paths.stems, [wildcards.fold])

    def n_shards(self, wildcards):
        """Number of shards of a fold."""
        return len(self.experiment.shards[int(wildcards.fold)])

    def teacher_model(self, wildcards):
        """Model of a system's teacher, trained on the same clips; empty without a teacher."""
        teacher = self.experiment.recipes[wildcards.system].teacher
        if teacher is None:
            return {}
        keys = {"snr": wildcards.snr, "fold": wildcards.fold, "repeat": wildcards.repeat}
        return {
            "teacher": self.paths.model.format(system=teacher, **keys),
            "teacher_description": self.paths.description.format(system=teacher, **keys),
        }

    def start_model(self, wildcards):
        """Model that a system's training starts from; empty where it has first weights."""
        folder = self.experiment.recipes[wildcards.system].training["start_from"]
        if folder is None:
            return {}
        return {
            "start": f"{folder}/{WEIGHTS}",
            "start_description": f"{folder}/{DESCRIPTION}",
        }

    def start_digest(self, wildcards):
        """Digest of that model, empty without one; its description has the digest of its weights."""
        files = self.start_model(wildcards)
        return content_sha256(files["start_description"]) if files else ""

    def tensorboard_folder(self, wildcards):
        """Folder of a training's curves for TensorBoard; empty where none are written."""
        is_wanted = self.experiment.recipes[wildcards.system].training["tensorboard"]
        keys = {"snr": wildcards.snr, "fold": wildcards.fold, "repeat": wildcards.repeat}
        pattern = self.paths.tensorboard
        return pattern.format(system=wildcards.system, **keys) if is_wanted else ""

    def models(self, trainings):
        """Weights and description of one model per system: name to ``model, description``."""
        return {
            training.system: {
                "model": training.in_path(self.paths.model),
                "description": training.in_path(self.paths.description),
            }
            for training in trainings
        }

    def example_models(self):
        """The models that are applied to the examples, by system."""
        return self.models(self.experiment.example_trainings())

    def mask_models(self, wildcards):
        """Models of the systems with masks, by system."""
        return self.models(
            self.experiment.trainings(
                snrs_db=[snr_from_path(wildcards.snr)],
                systems=self.experiment.mask_systems,
                folds=[int(wildcards.fold)],
                repeats=[int(wildcards.repeat)],
            )
        )

    @property
    def exported_dir(self):
        """Folder of the models to export: the run's, or the one of the config's ``model``."""
        return (self.experiment.config["model"] or self.paths.model_dir).rstrip("/")

    def models_to_export(self, wildcards):
        """ONNX files of `snakemake export`: the config's ``model``, else all models with masks.

        Raises
        ------
        ConfigError
            When no system has masks.
        """
        if self.experiment.config["model"]:
            return [f"{self.exported_dir}/model.onnx"]
        if not self.experiment.mask_systems:
            raise ConfigError(
                "export: expected a system with masks among the config key systems, found "
                f"{', '.join(self.experiment.systems)}; only those can be written as ONNX"
            )
        trainings = self.experiment.trainings(systems=self.experiment.mask_systems)
        return [f"{training.in_path(self.exported_dir)}/model.onnx" for training in trainings]

    def _scored_files(self, training):
        """Result files of a held-out fold: name to path."""
        names = {"scores": "scores", "counts": "mask_counts", "events": "events"}
        if self.experiment.tunes:
            names |= {"detection": "detection", "tuned_events": "tuned_events"}
        return {key: training.in_path(getattr(self.paths, name)) for key, name in names.items()}

    def scored_folds(self, wildcards):
        """Result files of each held-out fold of a system at one SNR: fold to name to path."""
        trainings = self.experiment.trainings(
            snrs_db=[snr_from_path(wildcards.snr)],
            systems=[wildcards.system],
            repeats=[int(wildcards.repeat)],
        )
        return {training.fold: self._scored_files(training) for training in trainings}

    def scored_systems(self):
        """Result files of the held-out folds of each system, SNR and repeat.

        Returns
        -------
        scored : list of dict
            ``snr_db, system, seed``, and ``folds`` as `scored_folds` returns them.
        """
        grouped = {}
        for training in self.experiment.trainings():
            key = training.snr_db, training.system, training.repeat
            grouped.setdefault(key, {})[training.fold] = self._scored_files(training)
        return [
            {"snr_db": snr_db, "system": system, "seed": repeat, "folds": folds}
            for (snr_db, system, repeat), folds in grouped.items()
        ]

    def separated_folds(self):
        """Separation scores of the held-out folds of each SNR and repeat; none without separation.

        Returns
        -------
        separated : list of dict
            ``snr_db, seed``, and ``folds``: fold to path.
        """
        if not self.experiment.separates:
            return []
        pattern = self.paths.separation_scores
        return [
            {
                "snr_db": snr_db,
                "seed": repeat,
                "folds": {
                    fold: pattern.format(snr=snr_to_path(snr_db), fold=fold, repeat=repeat)
                    for fold in self.experiment.held_out
                },
            }
            for snr_db in self.experiment.snrs_db
            for repeat in self.experiment.repeats
        ]

    def tables(self, *endings):
        """Files of the tables of results: name to ending to path."""
        return {
            table: {
                ending: self.paths.table.format(table=table, ending=ending) for ending in endings
            }
            for table in self.experiment.tables
        }

    def table_files(self):
        """All files of the tables of results: ``{table}_{ending}`` to path."""
        folder = self.paths.table.rpartition("/")[0]
        return table_files(folder, tunes=self.experiment.tunes)

    def leaderboard(self, *endings):
        """Files of the leaderboard: ending to path."""
        return {
            ending: self.paths.table.format(table=LEADERBOARD.name, ending=ending)
            for ending in endings
        }

    def example_scores(self):
        """Scores of the held-out folds at the SNR of the examples: system to paths."""
        return {
            system: self.of_trainings(
                "scores", snrs_db=[self.experiment.example_snr_db], systems=[system]
            )
            for system in self.experiment.systems
        }

    def listened(self):
        """Result files of the fold of the examples: system to name to path."""
        names = {"scores": "scores", "counts": "mask_counts", "events": "events"}
        return {
            training.system: {
                key: training.in_path(getattr(self.paths, name)) for key, name in names.items()
            }
            for training in self.experiment.example_trainings()
        }
