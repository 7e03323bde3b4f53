import pytest

from tfseg.run.experiment import Experiment, Training


def _clips(config, data_root, n_clips):
    lines = ["path,tags", *(f"{n}.wav,a" for n in range(n_clips)), ""]
    (data_root / "clips.csv").write_text("\n".join(lines))
    config["data_root"] = str(data_root)
    config["corpus"]["kind"] = "clips"
    return Experiment(config)


def test_the_papers_experiment(full_config):
    experiment = Experiment(full_config)
    assert experiment.folds == experiment.held_out == [1, 2, 3, 4]
    assert experiment.snrs_db == [20.0, 10.0, 0.0]
    assert experiment.example_snr_db == experiment.by_class_snr_db == 0.0
    assert experiment.mixtures_per_fold == [2000] * 4
    assert experiment.shards == {fold: list(range(8)) for fold in experiment.folds}
    assert experiment.mask_systems == experiment.systems == ["gmp", "gap", "gwrp"]
    assert experiment.separates
    assert experiment.corpus_tables == ["events", "scenes", "attribution"]
    assert experiment.reference == "gmp"
    assert experiment.clip_s == full_config["mixing"]["duration_s"]


def test_a_fixed_split_holds_its_first_part_out(full_config):
    full_config["split"]["kind"] = "fixed"
    full_config["mixing"]["mixtures_per_fold"] = [500, 1000]
    full_config["mixing"]["shard_size"] = 300
    full_config["mixing"]["kinds"] = ["mixture", "scene"]
    experiment = Experiment(full_config)
    assert (experiment.folds, experiment.held_out) == ([1, 2], [1])
    assert experiment.shards == {1: [0, 1, 2, 3], 2: [0, 1, 2, 3, 4, 5, 6]}
    assert {training.fold for training in experiment.trainings()} == {1}


@pytest.mark.parametrize(("n_clips", "n_shards"), [(0, 1), (8, 1), (9, 2), (16, 2), (17, 3)])
def test_ready_clips_have_no_snr_and_as_many_shards_as_they_fill(
    full_config, tmp_path, n_clips, n_shards
):
    full_config["mixing"]["shard_size"] = 2
    experiment = _clips(full_config, tmp_path, n_clips)
    assert experiment.snrs_db == [None]
    assert experiment.example_snr_db is None
    assert experiment.by_class_snr_db is None
    assert experiment.shards == {fold: list(range(n_shards)) for fold in (1, 2, 3, 4)}
    assert experiment.mask_systems
    assert not experiment.separates
    assert experiment.corpus_tables == ["clips", "attribution"]
    assert experiment.clip_s == full_config["training"]["excerpt_s"]


def test_a_run_without_masks_separates_nothing(full_config):
    full_config["systems"] = ["dnn"]
    experiment = Experiment(full_config)
    assert experiment.mask_systems == []
    assert not experiment.separates


def test_tables_of_tuned_thresholds_are_there_where_something_is_tuned(full_config):
    plain = Experiment(full_config).tables
    full_config["postprocessing"]["tune"] = True
    assert Experiment(full_config).tables == [*plain, "tuned_by_snr"]


def test_trainings_are_the_whole_grid_or_a_part_of_it(full_config):
    full_config["repeats"] = 2
    experiment = Experiment(full_config)
    trainings = experiment.trainings()
    assert len(set(trainings)) == len(trainings) == 3 * 3 * 4 * 2
    assert trainings[:2] == [Training(20.0, "gmp", 1, 0), Training(20.0, "gmp", 2, 0)]
    part = experiment.trainings(snrs_db=[0.0], systems=["gap"], repeats=[1])
    assert part == [Training(0.0, "gap", fold, 1) for fold in (1, 2, 3, 4)]
    assert experiment.trainings(folds=[]) == []
    examples = experiment.example_trainings()
    assert examples == [Training(0.0, system, 1, 0) for system in ("gmp", "gap", "gwrp")]


def test_numbers_of_processes_are_no_settings_of_results(full_config):
    experiment = Experiment(full_config)
    assert set(full_config["metrics"]) - set(experiment.metric_settings()) == {"processes"}
    assert set(full_config["postprocessing"]) - set(experiment.event_settings()) == {"tune"}
    assert set(full_config["apply"]) - set(experiment.apply_settings()) == {"threads"}
    # An image, and what a model is applied to.
    assert not {"container", "model", "recordings", "reference"} & set(experiment.reported())
    assert "processes" not in experiment.reported()["separation"]


def test_changes_name_what_differs_from_the_defaults(full_config, mini_config):
    assert Experiment(full_config).changes(full_config) == []
    changes = {key: (old, new) for key, old, new in Experiment(mini_config).changes(full_config)}
    assert changes["split.folds"] == (4, 2)
    assert "metrics.processes" not in changes


def test_only_networks_of_their_own_have_settings_of_baselines(full_config):
    full_config["systems"] = ["gap", "dnn"]
    experiment = Experiment(full_config)
    assert experiment.baseline_settings("gap") == {}
    assert experiment.baseline_settings("dnn", "gap") == {"dnn": full_config["baselines"]["dnn"]}
