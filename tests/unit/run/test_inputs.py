from types import SimpleNamespace

import pytest

from tfseg.errors import ConfigError
from tfseg.reporting.figures.registry import NEEDS, find_figures
from tfseg.run.experiment import Experiment
from tfseg.run.figure_inputs import FigureInputs, input_files, parameters
from tfseg.run.inputs import Inputs, files_in
from tfseg.run.paths import paths_of_run

JOB = SimpleNamespace(snr="10", system="gap", fold="2", repeat="0")
R = "results/tfseg2019"


@pytest.fixture
def inputs_of():
    def make(config):
        experiment = Experiment(config)
        paths = paths_of_run(
            config["run"],
            example_snr=experiment.example_snr_db,
            example_fold=config["figures"]["fold"],
        )
        return Inputs(experiment, paths)

    return make


@pytest.fixture
def small(full_config):
    """Two folds of three shards, two SNRs, two systems, all under the name R."""
    full_config["run"] = R.removeprefix("results/")
    full_config["split"]["folds"] = 2
    full_config["systems"] = ["gap", "gwrp"]
    full_config["mixing"].update(mixtures_per_fold=6, shard_size=2, snr_db=[10, 0])
    return full_config


def test_a_model_is_trained_on_all_folds_but_its_own(inputs_of, small):
    inputs = inputs_of(small)
    trained_on = [f"{R}/features/snr10/fold1-{shard}.h5" for shard in (0, 1, 2)]
    assert inputs.training_features(JOB) == trained_on
    held_out = [f"{R}/features/snr10/fold2-{shard}.h5" for shard in (0, 1, 2)]
    assert inputs.held_out_features(JOB) == held_out
    assert inputs.held_out_stems(JOB)[0] == f"{R}/mixtures/stems/fold2-0.h5"
    assert inputs.n_shards(JOB) == 3


def test_a_student_waits_for_its_teacher(inputs_of, small):
    assert inputs_of(small).teacher_model(JOB) == {}
    small["systems"].append("student")
    small["variants"] = {"student": {"system": "gwrp", "teacher": "gap"}}
    job = SimpleNamespace(snr="10", system="student", fold="2", repeat="0")
    folder = f"{R}/models/snr10/gap/fold2/seed0"
    assert inputs_of(small).teacher_model(job) == {
        "teacher": f"{folder}/model.safetensors",
        "teacher_description": f"{folder}/model.json",
    }


def test_only_systems_with_masks_separate_and_are_exported(inputs_of, small):
    small["systems"] = ["gap", "dnn"]
    inputs = inputs_of(small)
    assert list(inputs.mask_models(JOB)) == ["gap"]
    exported = inputs.models_to_export(JOB)
    assert len(set(exported)) == len(exported) == 2 * 2
    assert f"{R}/models/snr0/gap/fold1/seed0/model.onnx" in exported
    small["systems"] = ["dnn"]
    with pytest.raises(ConfigError, match=r"expected a system with masks .* found dnn"):
        inputs_of(small).models_to_export(JOB)
    assert inputs_of(small).separated_folds() == []
    small["model"] = "a folder/"
    assert inputs_of(small).models_to_export(JOB) == ["a folder/model.onnx"]


def test_scored_files_stand_beside_their_keys(inputs_of, small):
    folds = inputs_of(small).scored_folds(JOB)
    assert list(folds) == [1, 2]
    assert folds[2] == {
        "scores": f"{R}/scores/snr10/gap/fold2/seed0/scores.h5",
        "counts": f"{R}/scores/snr10/gap/fold2/seed0/mask_counts.h5",
        "events": f"{R}/events/snr10/gap/fold2/seed0.tsv",
    }
    small["postprocessing"]["tune"] = True
    tuned = inputs_of(small).scored_folds(JOB)[2]
    assert tuned["detection"] == f"{R}/models/snr10/gap/fold2/seed0/detection.json"
    assert tuned["tuned_events"] == f"{R}/events_tuned/snr10/gap/fold2/seed0.tsv"


def test_all_scored_systems_are_there_once(inputs_of, small):
    small["repeats"] = 2
    inputs = inputs_of(small)
    scored = inputs.scored_systems()
    keys = [(one["snr_db"], one["system"], one["seed"]) for one in scored]
    assert len(set(keys)) == len(keys) == 2 * 2 * 2
    for one in scored:
        for fold, files in one["folds"].items():
            place = f"snr{one['snr_db']:g}/{one['system']}/fold{fold}/seed{one['seed']}"
            assert all(place in path for path in files.values())
    separated = inputs.separated_folds()
    assert len(files_in([one["folds"] for one in separated])) == 2 * 2 * 2
    assert separated[0]["folds"][2] == f"{R}/separation/snr10/fold2/seed0.csv"


def test_ready_clips_are_scored_without_an_snr(inputs_of, small, tmp_path):
    small["corpus"]["kind"], small["data_root"] = "clips", str(tmp_path)
    (scored, *_) = inputs_of(small).scored_systems()
    assert scored["snr_db"] is None
    assert scored["folds"][1]["scores"] == f"{R}/scores/snrnone/gap/fold1/seed0/scores.h5"
    job = SimpleNamespace(snr="none", system="gap", repeat="0")
    assert inputs_of(small).scored_folds(job) == scored["folds"]


def test_a_figure_gets_what_it_needs_and_nothing_else(inputs_of, small):
    inputs = inputs_of(small)
    assert input_files(inputs, ["example"]) == {"example": inputs.paths.example}
    assert parameters(inputs, ["example"]) == {}
    assert parameters(inputs, ["metrics"]) == {"systems": ["gap", "gwrp"]}
    files, told = input_files(inputs, ["histories"]), parameters(inputs, ["histories"])
    assert [one["history"] for one in told["trainings"]] == files["histories"]
    assert len(files["histories"]) == 2 * 2 * 2
    scored = parameters(inputs, ["scores"])
    assert {(one["snr_db"], one["repeat"]) for one in scored["scored"]} == {(0.0, 0)}
    assert [one["counts"] for one in scored["scored"]] == input_files(inputs, ["scores"])["counts"]
    assert scored["metrics"] == inputs.experiment.metric_settings()


def test_the_rule_asks_a_figures_declaration(inputs_of, small):
    inputs, figures = inputs_of(small), find_figures()
    asked, job = FigureInputs(inputs, figures), SimpleNamespace(figure="example_mixture")
    assert asked.files(job) == {"example": inputs.paths.example}
    assert asked.parameters(job) == {}
    assert asked.labels(job) == {"figure": "a mixture (TASLP Fig. 1)"}
    shown = {one["name"]: one for one in asked.for_report()}
    assert list(shown) == list(figures)
    assert shown["example_mixture"]["caption"] == asked.caption(job)
    assert shown["training"]["section"] == "training"
    assert shown["training"]["png"] == f"{R}/figures/training.png"


@pytest.mark.parametrize("need", NEEDS)
def test_every_need_gives_something(inputs_of, small, need):
    assert input_files(inputs_of(small), [need])


def test_files_in_finds_all_and_keeps_their_order():
    assert files_in({"b": ["x", {"c": "y"}], "a": "z", "none": []}) == ["x", "y", "z"]
