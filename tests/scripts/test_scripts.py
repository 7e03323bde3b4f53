"""Every rule's script with a stub in place of Snakemake, in the order of the pipeline."""

import json
import re
import shutil
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import onnxruntime
import pandas as pd
import pytest
import soundfile
import torch
import yaml
from safetensors.numpy import load_file

import collect_metrics
import compare_systems
import describe_model
import detect_events
import export_model
import extract_features
import infer_examples
import infer_listening
import infer_scores
import inspect_recordings
import make_leaderboard
import make_tables
import plan_mixtures
import plot_figure
import prepare_corpus
import render_embedded_corpus
import render_stems
import score_separation
import score_system
import separate_mixtures
import train_model
import tune_detection
from tfseg.errors import DamagedFileError, DataError, TableError
from tfseg.evaluation import system_metrics
from tfseg.evaluation.intersection import has_psds
from tfseg.features.feature_set import load_features
from tfseg.inference.events import of_class
from tfseg.inference.forward import infer, load_model
from tfseg.inference.model_folder import load_model_folder
from tfseg.inference.operating_point import read_detection
from tfseg.io.files import file_sha256
from tfseg.reporting import audio_examples
from tfseg.reporting.figures.registry import find_figures

REPOSITORY = Path(__file__).parents[2]
SYSTEM, SNR_DB, FOLDS = "gwrp", 10, [1, 2]
CLASSES = ["Flute", "Hi-hat"]


class Named(list):
    """Like Snakemake's named lists: items in order, and some by name."""

    def __init__(self, *items, **named):
        super().__init__([*items, *named.values()])
        self.__dict__.update(named)

    def items(self):
        return self.__dict__.items()


def stub(rule, *, inputs=None, outputs=None, params=None, wildcards=None):
    return SimpleNamespace(
        rule=rule,
        input=Named(**(inputs or {})),
        output=outputs if isinstance(outputs, Named) else Named(**(outputs or {})),
        params=SimpleNamespace(**(params or {})),
        wildcards=Named(**(wildcards or {})),
        resources=SimpleNamespace(gpu=1),
        threads=1,
    )


def metric_settings(config):
    """As the rules give them to scripts: without the number of processes."""
    return {key: value for key, value in config["metrics"].items() if key != "processes"}


def event_settings(config):
    """Likewise: without whether they are tuned."""
    return {key: value for key, value in config["postprocessing"].items() if key != "tune"}


@pytest.fixture(scope="module")
def config():
    settings = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    settings["features"].update(sample_rate=8000, window_length=512, hop_length=256, n_mels=8)
    settings["features"].update(fmax_hz=4000.0)
    settings["mixing"].update(duration_s=2.0, onsets_s=[0.2, 1.1], max_event_s=0.7)
    settings["trunk"]["vgg"]["widths"] = [4]
    settings["training"].update(iterations=4, batch_size=4, threads=1, history_every=2)
    return settings


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("scripts")


@pytest.fixture(scope="module")
def corpus(config, work):
    names = ("recordings", "inspection", "report", "events", "scenes", "attribution")
    paths = {name: str(work / f"{name}.csv") for name in names}
    paths["licences"] = str(work / "licences.json")
    render_embedded_corpus.main(
        stub(
            "render_embedded_corpus",
            outputs={"recordings": paths["recordings"], "audio": str(work / "audio")},
            params={
                "classes": CLASSES,
                "duration_s": 2.0,
                "seed": 1,
                "kind": "embedded",
                "settings": {
                    "part": "development",
                    "groups_per_class": 4,
                    "takes_per_group": 1,
                    "places_per_scene": 2,
                    "takes_per_place": 1,
                },
            },
        )
    )
    inspect_recordings.main(
        stub(
            "inspect_recordings",
            inputs={"recordings": paths["recordings"]},
            outputs={name: paths[name] for name in ("inspection", "report")},
        )
    )
    prepare_corpus.main(prepare_stub(paths))
    return paths


def prepare_stub(paths, **params):
    defaults = {
        "on_bad_audio": "error",
        "trim_silence": False,
        "split": {"kind": "folds", "folds": 2, "by": "source", "validation": 0.3},
        "folds": FOLDS,
        "held_out": FOLDS,
        "classes": CLASSES,
        "clips_root": None,
        "seed": 1,
    }
    return stub(
        "prepare_corpus",
        inputs={name: paths[name] for name in ("recordings", "inspection", "report")},
        outputs={name: paths[name] for name in ("events", "scenes", "attribution", "licences")},
        params=defaults | params,
    )


@pytest.fixture(scope="module")
def plan(config, work, corpus):
    paths = {"mixtures": str(work / "mixtures.csv"), "events": str(work / "plan_events.csv")}
    layout = ("duration_s", "onsets_s", "events_per_mixture", "overlap", "max_event_s")
    mixing = {key: config["mixing"][key] for key in (*layout, "kinds", "scene_start")}
    plan_mixtures.main(
        stub(
            "plan_mixtures",
            inputs={"events": corpus["events"], "scenes": corpus["scenes"]},
            outputs=paths,
            params={
                "folds": FOLDS,
                "mixing": mixing,
                "mixtures_per_fold": [6, 6],
                "validation": 0.3,
                "seed": 1,
            },
        )
    )
    return paths


@pytest.fixture(scope="module")
def stems(config, work, corpus, plan):
    paths = {}
    for fold in FOLDS:
        for shard in (0, 1):
            paths[fold, shard] = str(work / f"stems{fold}-{shard}.h5")
            keys = ("max_event_s", "snr_on", "resampler")
            render_stems.main(
                stub(
                    "render_stems",
                    inputs={
                        "mixtures": plan["mixtures"],
                        "mixture_events": plan["events"],
                        "corpus_events": corpus["events"],
                        "inspection": corpus["inspection"],
                        "licences": corpus["licences"],
                    },
                    outputs={"stems": paths[fold, shard]},
                    params={
                        "classes": CLASSES,
                        "sample_rate": config["features"]["sample_rate"],
                        "shard_size": 4,
                        "mixing": {k: config["mixing"][k] for k in keys} | {"snr_db": [SNR_DB, 0]},
                    },
                    wildcards={"fold": str(fold), "shard": str(shard)},
                )
            )
    return paths


@pytest.fixture(scope="module")
def features(config, work, plan, stems):
    paths = {}
    for (fold, shard), path in stems.items():
        outputs = Named(*(str(work / f"snr{snr}-{fold}-{shard}.h5") for snr in (SNR_DB, 0)))
        extract_features.main(
            stub(
                "extract_features",
                inputs={"stems": path, "mixture_events": plan["events"]},
                outputs=outputs,
                params={
                    "classes": CLASSES,
                    "features": config["features"],
                    "snr_db": [SNR_DB, 0],
                },
                wildcards={"fold": str(fold), "shard": str(shard)},
            )
        )
        paths[fold, shard] = outputs[0]
    return paths


def of_fold(features, fold):
    return [path for (f, _), path in features.items() if f == fold]


def train_stub(config, work, features, fold, folder="models"):
    outputs = {
        name: str(work / folder / f"fold{fold}" / file)
        for name, file in (
            ("model", "model.safetensors"),
            ("description", "model.json"),
            ("history", "history.csv"),
        )
    }
    return stub(
        "train_model",
        inputs={
            "features": of_fold(features, 3 - fold),
            "licences": str(work / "licences.json"),
        },
        outputs=outputs,
        params={
            "network": SYSTEM,
            "teacher": None,
            "training": config["training"],
            "corpus": "embedded",
            "mixing": {"duration_s": 2.0, "resampler": "soxr_hq"},
            "precision": config["precision"],
            "code": "digest",
            "trunk": config["trunk"],
            "pooling": config["pooling"],
            "baselines": {},
            "seed": 1,
            "snr_db": float(SNR_DB),
            "state": str(work / folder / f"state{fold}.safetensors"),
        },
        wildcards={"snr": str(SNR_DB), "system": SYSTEM, "fold": str(fold), "repeat": "0"},
    )


@pytest.fixture(scope="module")
def models(config, work, features):
    paths = {}
    for fold in FOLDS:
        smk = train_stub(config, work, features, fold)
        train_model.main(smk)
        paths[fold] = smk.output
    return paths


def describe(config, description):
    folder = Path(description).parent
    thresholds = ("tag_threshold", "tag_gate", "frame_threshold", "mask_threshold")
    smk = stub(
        "describe_model",
        inputs={
            "description": description,
            "detection": [],
            "template": str(REPOSITORY / "resources/model_card.md.jinja"),
        },
        outputs={
            "detection": str(folder / "detection.json"),
            "card": str(folder / "model_card.md"),
        },
        params={
            "thresholds": {key: config["metrics"][key] for key in thresholds},
            "postprocessing": event_settings(config),
        },
    )
    describe_model.main(smk)
    return smk.output


@pytest.fixture(scope="module")
def scores(config, work, features, models):
    paths = {}
    for fold in FOLDS:
        smk = stub(
            "infer_scores",
            inputs={
                "model": models[fold].model,
                "description": models[fold].description,
                "detection": [],
                "features": of_fold(features, fold),
            },
            outputs={
                "scores": str(work / f"scores{fold}.h5"),
                "counts": str(work / f"counts{fold}.h5"),
            },
            params={
                "threads": 1,
                "precision": config["precision"],
                "batch_size": 4,
                "mask_threshold": 0.1,
                "has_ideal_masks": True,
                "scorings": str(work / "logs" / "scorings.jsonl"),
            },
            wildcards={"system": SYSTEM, "snr": str(SNR_DB), "fold": str(fold)},
        )
        infer_scores.main(smk)
        paths[fold] = smk.output
    return paths


def grid_of(config):
    return {k: config["features"][k] for k in ("sample_rate", "window_length", "hop_length")}


def detect(config, scores, path, detection=()):
    detect_events.main(
        stub(
            "detect_events",
            inputs={"scores": scores, "detection": list(detection)},
            outputs={"events": path},
            params={
                "grid": grid_of(config),
                "postprocessing": event_settings(config),
                "tag_threshold": 0.1,
            },
        )
    )
    return path


@pytest.fixture(scope="module")
def events(config, work, scores):
    return {
        fold: detect(config, scores[fold].scores, str(work / f"events{fold}.tsv")) for fold in FOLDS
    }


def scored_folds(scores, events):
    """As the rules give them to scripts."""
    return {
        fold: {
            "scores": scores[fold].scores,
            "counts": scores[fold].counts,
            "events": events[fold],
        }
        for fold in FOLDS
    }


def score(config, plan, scores, events, path, turned=False, **tuned):
    """Score a system; `turned` turns the order of the folds round."""
    folds = {
        fold: files | {name: paths[fold] for name, paths in tuned.items()}
        for fold, files in scored_folds(scores, events).items()
    }
    score_system.main(
        stub(
            "score_system",
            inputs={"mixtures": plan["mixtures"], "mixture_events": plan["events"]},
            outputs={"metrics": path},
            params={
                "folds": dict(reversed(folds.items())) if turned else folds,
                "snr_db": SNR_DB,
                "grid": grid_of(config),
                "metrics": metric_settings(config),
                "postprocessing": event_settings(config),
            },
            wildcards={"snr": str(SNR_DB), "system": SYSTEM, "repeat": "0"},
        )
    )
    return path


@pytest.fixture(scope="module")
def metrics(config, work, plan, scores, events):
    joined = str(work / "metrics.csv")
    part = score(config, plan, scores, events, str(work / "part.csv"))
    collect_metrics.main(
        stub("collect_metrics", inputs={"parts": [part]}, outputs={"metrics": joined})
    )
    return joined


def separated_folds(paths):
    return {"snr_db": SNR_DB, "seed": 0, "folds": {fold: paths[fold].scores for fold in FOLDS}}


def model_paths(model):
    return {"model": model.model, "description": model.description}


@pytest.fixture(scope="module")
def separation(config, work, plan, stems, models):
    paths = {}
    for fold in FOLDS:
        smk = stub(
            "separate_mixtures",
            inputs={
                "stems": [path for (f, _), path in stems.items() if f == fold],
                "mixture_events": plan["events"],
            },
            outputs={
                "scores": str(work / f"separation{fold}.csv"),
                "examples": str(work / f"separated{fold}"),
            },
            params={
                "models": {SYSTEM: model_paths(models[fold])},
                "classes": CLASSES,
                "features": config["features"],
                "separation": {
                    "mixtures_per_fold": 3,
                    "examples_per_fold": 1,
                    "filter_length": 64,
                },
                "snr_db": SNR_DB,
                "tag_threshold": 0.1,
                "seed": 1,
            },
            wildcards={"snr": str(SNR_DB), "fold": str(fold), "repeat": "0"},
        )
        separate_mixtures.main(smk)
        paths[fold] = smk.output
    joined = str(work / "separation_metrics.csv")
    score_separation.main(
        stub(
            "score_separation",
            outputs={"metrics": joined},
            params={"separated": [separated_folds(paths)], "classes": CLASSES},
        )
    )
    return paths, joined


def test_separated_sounds_are_written_with_their_references(separation, config):
    paths, _ = separation
    for fold in FOLDS:
        (folder,) = Path(paths[fold].examples).iterdir()
        waveforms = {path.stem: soundfile.read(path)[0] for path in folder.iterdir()}
        labels = {name.split("-reference")[0] for name in waveforms if name.endswith("-reference")}
        assert labels <= set(CLASSES)
        for label in labels:
            assert {f"{label}-{row}" for row in ("ibm", "irm", SYSTEM)} <= set(waveforms)
            ideal, reference = waveforms[f"{label}-irm"], waveforms[f"{label}-reference"]
            error = np.sum((ideal - reference) ** 2) / np.sum(reference**2)
            assert error < 0.5
        assert len({len(samples) for samples in waveforms.values()}) == 1


def test_the_ideal_mask_separates_best_and_no_separation_is_the_zero_point(separation):
    metrics = pd.read_csv(separation[1], dtype={"fold": str})
    whole = metrics[(metrics["variant"] == "published") & (metrics["fold"] == "all")]
    values = whole.set_index(["system", "metric", "class"])["value"]
    for label in CLASSES:
        assert values["no_separation", "sdr", label] == pytest.approx(
            values["no_separation", "sir", label], abs=0.1
        )
        assert values["no_separation", "sar", label] > 80
        assert values["no_separation", "sdr_improvement", label] == 0
        for system in ("no_separation", SYSTEM):
            assert values["ibm", "sdr", label] > values[system, "sdr", label]
    assert (whole.loc[whole["metric"] == "silent_estimates", "value"] == 0).all()
    assert set(metrics["variant"]) == {"published", "active_span", "predicted_tags"}


def test_stems_hold_the_shard_that_was_asked_for(plan, stems):
    mixtures = pd.read_csv(plan["mixtures"])
    for fold in FOLDS:
        names = []
        for shard in (0, 1):
            with h5py.File(stems[fold, shard]) as file:
                names += [name.decode() for name in file["mixture"][:]]
        assert names == list(mixtures.loc[mixtures["fold"] == fold, "mixture"])


def test_no_origin_is_in_both_parts_of_the_plan(corpus, plan):
    mixtures, events = pd.read_csv(plan["mixtures"]), pd.read_csv(plan["events"])
    assert mixtures.groupby("fold")["part"].value_counts().to_dict() == {
        (fold, part): n for fold in FOLDS for part, n in (("train", 4), ("validation", 2))
    }
    part_of = mixtures.set_index("mixture")["part"]
    group_of = pd.concat([pd.read_csv(corpus[name]) for name in ("events", "scenes")])
    group_of = group_of.drop_duplicates("path").set_index("path")["group"]
    used = pd.concat(
        [
            pd.DataFrame({"group": group_of[paths].array, "part": part_of[names].array})
            for paths, names in (
                (events["event"], events["mixture"]),
                (mixtures["scene"], mixtures["mixture"]),
            )
        ]
    )
    assert used.groupby("group")["part"].nunique().max() == 1
    assert set(used["part"]) == {"train", "validation"}


def test_nothing_of_the_validation_part_is_trained_on(config, work, features, models):
    other = {}
    for (fold, shard), path in features.items():
        other[fold, shard] = shutil.copy(path, work / f"other-{fold}-{shard}.h5")
        with h5py.File(other[fold, shard], "a") as file:
            rows = np.flatnonzero(file["part"][:] == b"validation")
            for name in ("logmel", "target"):
                values = file[name][:]
                values[rows] = 0
                file[name][:] = values
    smk = train_stub(config, work, other, 1, folder="without_validation")
    train_model.main(smk)
    assert Path(smk.output.model).read_bytes() == Path(models[1].model).read_bytes()
    assert Path(smk.output.history).read_bytes() == Path(models[1].history).read_bytes()


def tune_stub(config, plan, model, features, outputs):
    thresholds = ("tag_threshold", "tag_gate", "frame_threshold", "mask_threshold")
    return stub(
        "tune_detection",
        inputs={
            "model": model.model,
            "description": model.description,
            "features": features,
            "mixtures": plan["mixtures"],
            "mixture_events": plan["events"],
        },
        outputs=outputs,
        params={
            "threads": 1,
            "precision": config["precision"],
            "batch_size": 4,
            "has_ideal_masks": True,
            "thresholds": {key: config["metrics"][key] for key in thresholds},
            "postprocessing": event_settings(config),
            "collars": {key: config["metrics"][key] for key in ("collar_s", "offset_fraction")},
        },
        wildcards={"system": SYSTEM, "snr": str(SNR_DB)},
    )


@pytest.fixture(scope="module")
def tuned(config, work, plan, features, models):
    """What was chosen for each model on the validation part of its training fold."""
    paths = {}
    for fold in FOLDS:
        names = {"detection": f"tuned{fold}.json", "tuning": f"tuning{fold}.csv"}
        outputs = {key: str(work / name) for key, name in names.items()}
        smk = tune_stub(config, plan, models[fold], of_fold(features, 3 - fold), outputs)
        tune_detection.main(smk)
        paths[fold] = smk.output
    return paths


def test_thresholds_are_chosen_for_each_class_and_said(tuned):
    for fold in FOLDS:
        detection = read_detection(tuned[fold].detection, len(CLASSES))
        rows = pd.read_csv(tuned[fold].tuning, float_precision="round_trip")
        assert list(rows["class"].unique()) == CLASSES
        values = rows.set_index(["class", "what"])
        for what in ("tag_threshold", "frame_threshold", "mask_threshold"):
            for k, label in enumerate(CLASSES):
                assert values.loc[(label, what), "value"] == of_class(getattr(detection, what), k)
        tags = values.xs("tag_threshold", level="what")
        assert (tags["validation_f1"] >= tags["fixed_f1"]).all()
        assert tags["n"].sum() == 4  # two mixtures of two events (of one class, the tag is one)


def test_only_the_validation_part_chooses_thresholds(config, work, plan, features, models, tuned):
    # Its clips alone, out of files that hold nothing else, lead to the same choice.
    assert load_features(of_fold(features, 2)).of_parts(["validation"]).mixture
    other = []
    for path in of_fold(features, 2):
        other.append(shutil.copy(path, work / f"validation-{Path(path).name}"))
        with h5py.File(other[-1], "a") as file:
            rows = np.flatnonzero(file["part"][:] == b"train")
            for name in ("logmel", "target"):
                values = file[name][:]
                values[rows] = 1
                file[name][:] = values
    outputs = {"detection": str(work / "again.json"), "tuning": str(work / "again.csv")}
    smk = tune_stub(config, plan, models[1], other, outputs)
    tune_detection.main(smk)
    for name in ("detection", "tuning"):
        again, first = Path(getattr(smk.output, name)), Path(getattr(tuned[1], name))
        assert again.read_bytes() == first.read_bytes()


def test_tuned_scores_stand_beside_the_published_ones(
    config, work, plan, scores, events, tuned, metrics
):
    detections = {fold: tuned[fold].detection for fold in FOLDS}
    found = {
        fold: detect(config, scores[fold].scores, str(work / f"tuned_events{fold}.tsv"), [path])
        for fold, path in detections.items()
    }
    path = str(work / "tuned_part.csv")
    score(config, plan, scores, events, path, detection=detections, tuned_events=found)
    table = pd.read_csv(path)
    # What is published stays as it is.
    published = table[table["variant"] != "tuned"].reset_index(drop=True)
    pd.testing.assert_frame_equal(published, pd.read_csv(metrics))
    of_tasks = table[table["variant"] == "tuned"].groupby("task")["metric"].unique()
    assert {
        task: set(names) >= {"f1", "precision", "recall"} for task, names in of_tasks.items()
    } == {task: True for task in ("tagging", "frame", "event", "mask")}


def test_the_card_of_a_tuned_model_has_its_thresholds(work, models, tuned):
    card = work / "tuned_card.md"
    smk = stub(
        "describe_model",
        inputs={
            "description": models[1].description,
            "detection": [tuned[1].detection],
            "template": str(REPOSITORY / "resources/model_card.md.jinja"),
        },
        outputs={"card": str(card)},
    )
    describe_model.main(smk)
    assert "chosen on validation clips" in card.read_text()
    assert "| `Flute` | " in card.read_text()


def test_training_again_gives_the_same_bytes(config, work, features, models):
    smk = train_stub(config, work, features, 1, folder="again")
    train_model.main(smk)
    for name in ("model", "description", "history"):
        again, first = Path(getattr(smk.output, name)), Path(getattr(models[1], name))
        assert again.read_bytes() == first.read_bytes()


def test_a_finished_training_is_written_out_again_without_training(
    config, work, features, models, monkeypatch
):
    first = Path(models[1].model).read_bytes()
    Path(models[1].model).unlink()

    def refuse(*arguments, **named):
        raise AssertionError("a batch was drawn for a training that had ended")

    monkeypatch.setattr("tfseg.training.loop.batch_indices", refuse)
    train_model.main(train_stub(config, work, features, 1))
    assert Path(models[1].model).read_bytes() == first


def test_model_folder_is_enough_to_use_the_model(config, models):

    network, description = load_model(models[1].model, models[1].description)
    assert description["classes"] == CLASSES
    assert description["features"] == config["features"]
    assert set(load_file(models[1].model)) == set(network.state_dict())


def test_detected_events_name_every_clip(plan, events):
    mixtures = pd.read_csv(plan["mixtures"])
    for fold in FOLDS:
        clips = set(pd.read_csv(events[fold], sep="\t")["filename"])
        assert clips == set(mixtures.loc[mixtures["fold"] == fold, "mixture"])


def test_metrics_are_complete_and_within_range(metrics):
    frame = pd.read_csv(metrics)
    assert list(frame.columns) == [
        "task", "metric", "class", "snr_db", "system", "fold", "seed", "variant", "value", "n",
    ]  # fmt: skip
    assert set(frame["task"]) == {"tagging", "frame", "event", "mask"}
    assert set(frame["fold"]) == {"1", "2", "all", "pooled"}
    assert set(frame["class"]) == {*CLASSES, "macro"}
    bounded = frame[frame["metric"].isin(["f1", "auc", "map", "precision", "recall"])]
    assert bounded["value"].dropna().between(0, 1).all()
    key = ["task", "metric", "class", "snr_db", "system", "fold", "seed", "variant"]
    assert not frame.duplicated(key).any()


def test_a_model_folder_is_all_that_using_it_needs(config, work, corpus, features, models):
    card = Path(describe(config, models[1].description).card).read_text()
    folder = shutil.copytree(Path(models[1].model).parent, work / "elsewhere" / "a model")
    model = load_model_folder(folder)
    assert model.classes == tuple(CLASSES)
    assert model.settings.as_dict() == config["features"]
    assert (model.duration_s, model.resampler) == (2.0, "soxr_hq")
    assert asdict(model.detection.postprocessing) == event_settings(config)
    facts = model.description
    assert facts["data"] == {
        "corpus": "embedded",
        "mixtures": 4,  # two of six are for validation
        "sha256": file_sha256(of_fold(features, 2)),
    }
    assert facts["licences"] == json.loads(Path(corpus["licences"]).read_text())["licences"]
    assert facts["versions"]["torch"] == torch.__version__
    logmel = torch.from_numpy(load_features(of_fold(features, 1)).logmel[:2]).float()
    network, _ = load_model(models[1].model, models[1].description)
    with torch.inference_mode():
        for one, two in zip(model.network(logmel), network(logmel), strict=True):
            assert torch.equal(one, two)
    for said in (
        "`Flute`, `Hi-hat`",
        "8000 Hz",
        "Frames of 512 samples",
        "GPL-2.0",
        "4 clips of 2 s",
    ):
        assert said in card
    assert "{" not in card


def test_an_exported_model_gives_the_scores_of_the_workflow(config, work, features, models):
    folder = Path(describe(config, models[1].description).card).parent
    smk = stub(
        "export_model",
        inputs={"model": models[1].model, "description": models[1].description},
        outputs={"onnx": str(work / "model.onnx")},
    )
    export_model.main(smk)
    session = onnxruntime.InferenceSession(smk.output.onnx)
    told = session.get_modelmeta().custom_metadata_map
    assert json.loads(told["classes"]) == CLASSES
    assert json.loads(told["features"]) == config["features"]
    assert json.loads(told["detection"])["postprocessing"] == event_settings(config)
    clips = load_features(of_fold(features, 1))
    network = load_model_folder(folder).network
    tags, frames, _ = infer(network, clips, batch_size=4, mask_thresholds=None)
    found = session.run(["tags", "frames"], {"logmel": clips.logmel.astype(np.float32)})
    np.testing.assert_allclose(found[0], tags, atol=1e-5)
    np.testing.assert_allclose(found[1].transpose(0, 2, 1), frames, atol=5e-4)  # of float16


@pytest.fixture(scope="module")
def comparison(config, work, plan, scores, events, separation):
    return compare(config, work, plan, scores, events, separation)


def compare(config, folder, plan, scores, events, separation, turned=False):
    """Compare a system with its twin; `turned` turns the order of the folds round."""
    paths = {name: str(folder / f"{name}.csv") for name in ("intervals", "comparisons")}
    twins = [SYSTEM, "twin"]  # the same scores by another name
    folds = scored_folds(scores, events)
    separated = separated_folds(separation[0]) | {"snr_db": float(SNR_DB)}
    if turned:
        folds = dict(reversed(folds.items()))
        separated = separated | {"folds": dict(reversed(separated["folds"].items()))}
    compare_systems.main(
        stub(
            "compare_systems",
            inputs={"mixtures": plan["mixtures"], "mixture_events": plan["events"]},
            outputs=paths,
            params={
                "scored": [
                    {
                        "snr_db": float(SNR_DB),
                        "system": system,
                        "seed": 0,
                        "folds": folds,
                    }
                    for system in twins
                ],
                "separated": [separated],
                "systems": twins,
                "classes": CLASSES,
                "grid": grid_of(config),
                "metrics": metric_settings(config),
                "resamples": 100,
                "reference": SYSTEM,
                "seed": 1,
            },
        )
    )
    return paths


def test_intervals_hold_the_pooled_values_of_the_metrics(comparison, metrics):
    intervals = pd.read_csv(comparison["intervals"])
    keys = ["task", "metric", "variant"]
    pooled = pd.read_csv(metrics).query("fold == 'pooled' and `class` == 'macro'")
    expected = pooled.set_index(keys)["value"]
    ours = intervals.query(f"system == '{SYSTEM}' and snr_db == '{SNR_DB}.0'").set_index(keys)
    assert set(ours.index.get_level_values("metric")) == {
        "f1",
        "map",
        "intersection_f1",
        "si_sdr_improvement",
        "capi_sdri",
    }
    for key, row in ours.iterrows():
        if key[0] != "separation":
            assert row["value"] == pytest.approx(expected[key], abs=1e-9), key
        assert row["low"] <= row["high"]


def test_the_order_of_folds_says_nothing(
    config, tmp_path, plan, scores, events, separation, comparison, metrics
):
    made = (config, plan, scores, events)
    path = score(*made, str(tmp_path / "part.csv"), turned=True)
    assert pd.read_csv(path).equals(pd.read_csv(metrics))
    turned = compare(config, tmp_path, plan, scores, events, separation, turned=True)
    for name, path in turned.items():
        assert Path(path).read_bytes() == Path(comparison[name]).read_bytes(), name


def test_twins_do_not_differ(comparison):
    table = pd.read_csv(comparison["comparisons"])
    assert set(table["system"]) == {"twin"}
    assert set(table["snr_db"]) == {f"{SNR_DB}.0", "all"}
    assert (table[["difference", "difference_low", "difference_high"]] == 0).all(axis=None)
    assert set(table["n_clips"]) == {12}


def test_the_leaderboard_says_what_systems_achieve_and_cost(config, work, metrics, comparison):
    outputs = Named(*(str(work / f"leaderboard.{ending}") for ending in ("csv", "md", "tex")))
    make_leaderboard.main(
        stub(
            "make_leaderboard",
            inputs={"metrics": metrics, "intervals": comparison["intervals"]},
            outputs=outputs,
            params={
                "systems": [SYSTEM, "frames"],  # a variant, of which there are no scores
                "recipes": [
                    {"network": name, "trunk": config["trunk"], "pooling": config["pooling"]}
                    for name in (SYSTEM, "dnn")
                ],
                "classes": CLASSES,
                "grid": grid_of(config),
                "n_mels": config["features"]["n_mels"],
                "clip_s": 2.0,
                "baselines": config["baselines"],
                "resamples": 100,
            },
        )
    )
    table = pd.read_csv(outputs[0]).set_index("system")
    expected = pd.read_csv(metrics).query("fold == 'pooled' and `class` == 'macro'")
    expected = expected.set_index(["task", "metric", "variant"])["value"]
    found = table.loc[SYSTEM]
    assert found["tagging_map"] == pytest.approx(expected["tagging", "map", "published"])
    assert found["tagging_map_low"] <= found["tagging_map"] <= found["tagging_map_high"]
    if has_psds():
        assert found["event_psds1"] == pytest.approx(expected["event", "psds1", "ungated"])
    assert table.loc["frames"].drop(["parameters", "mac_per_clip"]).isna().all()
    # One 3x3 convolution of 4 maps with normalisation, and the masks of two classes.
    assert found["parameters"] == 9 * 4 + 2 * 4 + 4 * 2 + 2
    n_units = (1 + (2 * 8000 - 512) // 256) * config["features"]["n_mels"]
    assert found["mac_per_clip"] == n_units * (9 * 4 + 4 * 2)
    assert "| gwrp |" in Path(outputs[1]).read_text()
    assert "| frames | – |" in Path(outputs[1]).read_text()
    assert Path(outputs[2]).read_text().count(r"\\") >= 3


def test_without_its_package_psds_is_left_out_and_the_log_says_so(
    config, work, plan, scores, events, metrics, monkeypatch, capsys
):
    monkeypatch.setattr(system_metrics, "has_psds", lambda: False)
    path = score(config, plan, scores, events, str(work / "without_psds.csv"))
    assert (
        "PSDS is left out: the package sed_scores_eval is not installed" in capsys.readouterr().out
    )
    without, full = pd.read_csv(path), pd.read_csv(metrics)
    rest = full[~full["metric"].isin(["psds1", "psds2"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(without, rest)


@pytest.mark.parametrize("paper", [True, False])
def test_tables_show_the_paper_only_where_it_applies(config, work, metrics, paper):
    outputs = Named(
        *(
            str(work / f"tables{paper}" / f"{task}_by_{by}.{ending}")
            for task in ("tagging", "frame", "event", "mask")
            for by in ("snr", "class")
            for ending in ("csv", "md", "tex")
        ),
        str(work / f"tables{paper}" / "time_index.csv"),
    )
    make_tables.main(
        stub(
            "make_tables",
            inputs={
                "metrics": metrics,
                "paper": str(REPOSITORY / "resources/paper_tables/tfseg2019.csv"),
            },
            outputs=outputs,
            params={
                "compare_with": "tfseg2019" if paper else None,
                "mask_systems": [SYSTEM],
                "n_separated": 3,
                "systems": [SYSTEM],
                "classes": CLASSES,
                "snr_db": [SNR_DB],
                "by_class_snr_db": SNR_DB,
                "metrics": metric_settings(config),
            },
        )
    )
    table = pd.read_csv(outputs[0])
    ours = pd.read_csv(metrics)
    ours = ours.query(
        "task == 'tagging' and metric == 'map' and `class` == 'macro' and fold == 'all' and variant == 'published'"
    )["value"].item()
    row = table[table["metric"] == "map"].iloc[0]
    assert row["ours"] == pytest.approx(ours, abs=1e-12)
    probe = pd.read_csv(outputs[-1])
    assert probe.loc[probe["variant"] == "time_index", "ours"].notna().all()
    if paper:  # TASLP Table II: GWRP at 10 dB has an mAP of 0.696
        assert row["paper"] == 0.696
        assert row["difference"] == pytest.approx(ours - 0.696, abs=1e-12)
        assert "0.696" in Path(outputs[1]).read_text()
    else:
        assert table["paper"].isna().all()
        assert "paper" not in Path(outputs[1]).read_text().lower()
    assert Path(outputs[2]).read_text().count(r"\\") >= 2


def test_figures_are_drawn(config, work, plan, stems, models, scores, events, metrics):
    example = str(work / "example.h5")
    infer_examples.main(
        stub(
            "infer_examples",
            inputs={"stems": stems[1, 0], "mixture_events": plan["events"]},
            outputs={"example": example},
            params={
                "models": {SYSTEM: model_paths(models[1])},
                "classes": CLASSES,
                "features": config["features"],
                "snr_db": SNR_DB,
                "threads": 1,
            },
        )
    )
    with h5py.File(example) as file:
        ideal, active = file["ratio_masks"][:], file["target"][:]
        assert np.flatnonzero(ideal.any(axis=(1, 2))).tolist() == np.flatnonzero(active).tolist()
    runs = [{"snr_db": SNR_DB, "system": SYSTEM, "fold": fold, "repeat": 0} for fold in FOLDS]
    given = {
        "example": {},
        "histories": {
            "systems": [SYSTEM],
            "trainings": [run | {"history": models[run["fold"]].history} for run in runs],
        },
        "metrics": {"systems": [SYSTEM]},
        "scores": {
            "systems": [SYSTEM],
            "scored": [run | scored_folds(scores, events)[run["fold"]] for run in runs],
            "snr_db": SNR_DB,
            "grid": grid_of(config),
            "metrics": metric_settings(config),
        },
    }
    inputs = {
        "example": example,
        "metrics": metrics,
        "mixtures": plan["mixtures"],
        "mixture_events": plan["events"],
    }
    declared = find_figures()
    assert {need for figure in declared.values() for need in figure.needs} == set(given)
    for name, figure in declared.items():
        paths = {ending: str(work / f"{name}.{ending}") for ending in ("png", "svg")}
        params = {key: value for need in figure.needs for key, value in given[need].items()}
        plot_figure.main(
            stub(
                "plot_figure",
                inputs=inputs,
                outputs=paths,
                params={"given": params},
                wildcards={"figure": name},
            )
        )
        assert Path(paths["png"]).read_bytes().startswith(b"\x89PNG")
        assert b"<svg" in Path(paths["svg"]).read_bytes()[:600]


def test_the_listening_clips_are_the_best_the_median_and_the_worst(
    config, work, plan, stems, models, scores, events
):
    path = str(work / "listening.h5")
    infer_listening.main(
        stub(
            "infer_listening",
            inputs={
                "mixtures": plan["mixtures"],
                "mixture_events": plan["events"],
                "stems": [stems[1, shard] for shard in (0, 1)],
                "clips": [],
            },
            outputs={"listening": path},
            params={
                "models": {SYSTEM: model_paths(models[1])},
                "scored": {SYSTEM: scored_folds(scores, events)[1]},
                "classes": CLASSES,
                "features": config["features"],
                "metrics": metric_settings(config),
                "snr_db": SNR_DB,
                "resampler": "soxr_hq",
                "threads": 1,
            },
        )
    )
    best, median, worst = audio_examples.read_listening(path)
    assert best.score >= median.score >= worst.score
    names = {one.example.mixture for one in (best, median, worst)}
    mixtures = pd.read_csv(plan["mixtures"])
    assert len(names) == 3 and names <= set(mixtures.loc[mixtures["fold"] == 1, "mixture"])
    # The system's frame scores are those that were stored of the clip, up to float16.
    with h5py.File(scores[1].scores) as file:
        row = [name.decode() for name in file["mixture"][:]].index(best.example.mixture)
        stored = file["frames"][row]
    np.testing.assert_allclose(best.example.frames[SYSTEM].T, stored, atol=2e-3)


def test_a_damaged_intermediate_is_named(config, work, plan, stems):
    damaged = work / "damaged.h5"
    damaged.write_bytes(Path(stems[1, 0]).read_bytes()[:-2000])
    smk = stub(
        "extract_features",
        inputs={"stems": str(damaged), "mixture_events": plan["events"]},
        outputs=Named(str(work / "never.h5")),
        params={"classes": CLASSES, "features": config["features"], "snr_db": [SNR_DB]},
        wildcards={"fold": "1", "shard": "0"},
    )
    with pytest.raises(DamagedFileError, match=r"damaged\.h5"):
        extract_features.main(smk)
    assert not (work / "never.h5").exists()


def test_bad_audio_stops_the_corpus_or_is_left_out(corpus, work, capsys):
    recordings = pd.read_csv(corpus["recordings"])
    bad = recordings.loc[recordings["role"] == "scene", "path"].iloc[0]
    content = Path(bad).read_bytes()
    paths = corpus | {
        name: str(work / "bad" / f"{name}.csv")
        for name in ("inspection", "report", "events", "scenes", "attribution", "licences")
    }
    try:
        Path(bad).write_bytes(content[: len(content) // 2])
        inspect_recordings.main(
            stub(
                "inspect_recordings",
                inputs={"recordings": paths["recordings"]},
                outputs={name: paths[name] for name in ("inspection", "report")},
            )
        )
    finally:
        Path(bad).write_bytes(content)
    report = pd.read_csv(paths["report"])
    assert report.loc[report["severity"] == "error", ["path", "problem"]].to_numpy().tolist() == [
        [bad, "truncated"]
    ]
    with pytest.raises(DataError, match=re.escape(f"{bad}: truncated: expected")):
        prepare_corpus.main(prepare_stub(paths))
    assert not Path(paths["events"]).exists()
    prepare_corpus.main(prepare_stub(paths, on_bad_audio="skip"))
    assert bad not in set(pd.read_csv(paths["scenes"])["path"])
    assert bad not in set(pd.read_csv(paths["attribution"])["path"])
    assert f"{bad}: truncated" in capsys.readouterr().out


def test_restrictive_licences_are_said_where_mixtures_and_weights_are_made(
    config, work, corpus, plan, features, capsys
):
    terms = work / "licences.json"
    before = terms.read_text()
    restricted = "TUT Urban: experimental, non-commercial use only"
    try:
        terms.write_text(json.dumps({"licences": {restricted: 3}, "restricted": [restricted]}))
        smk = train_stub(config, work, features, 1, folder="restricted")
        train_model.main(smk)
    finally:
        terms.write_text(before)
    said = capsys.readouterr().out
    assert "LICENCE: the weights of this model" in said
    assert restricted in said
    assert json.loads(Path(smk.output.description).read_text())["licences"] == {restricted: 3}
    card = Path(describe(config, smk.output.description).card).read_text()
    assert "restrict commercial use, so they may restrict that of these weights too**: TUT" in card


def test_an_unreadable_recording_is_named(config, work, corpus, plan):
    first = pd.read_csv(plan["events"])["event"][0]
    content = Path(first).read_bytes()
    try:
        Path(first).write_bytes(b"RIFF this is no sound")
        smk = stub(
            "render_stems",
            inputs={
                "mixtures": plan["mixtures"],
                "mixture_events": plan["events"],
                "corpus_events": corpus["events"],
                "inspection": corpus["inspection"],
                "licences": corpus["licences"],
            },
            outputs={"stems": str(work / "unused.h5")},
            params={
                "classes": CLASSES,
                "sample_rate": 8000,
                "shard_size": 4,
                "mixing": {
                    "max_event_s": 0.7,
                    "snr_db": [0],
                    "snr_on": "file",
                    "resampler": "soxr_hq",
                },
            },
            wildcards={"fold": "1", "shard": "0"},
        )
        with pytest.raises(DataError, match=re.escape(Path(first).name)):
            render_stems.main(smk)
    finally:
        Path(first).write_bytes(content)
    assert not (work / "unused.h5").exists()


def test_a_table_of_another_layout_is_named(work):
    other = work / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(TableError, match=r"other\.csv.*missing"):
        collect_metrics.main(
            stub("collect_metrics", inputs={"parts": [str(other)]}, outputs={"metrics": "unused"})
        )
