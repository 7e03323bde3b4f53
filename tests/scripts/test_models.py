"""Training and its results: weights, card, export."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import h5py
import numpy as np
import onnxruntime
import torch
from safetensors.numpy import load_file
from script_stubs import (
    CLASSES,
    describe,
    of_fold,
    params_of,
    stub,
    training_stub,
)

import export_model
import train_model
from tfseg.features.feature_set import load_features
from tfseg.inference.forward import infer, load_model
from tfseg.inference.model_folder import load_model_folder
from tfseg.io.files import file_sha256


def test_nothing_of_the_validation_part_is_trained_on(work, features, models):
    other = {}
    for (fold, shard), path in features.items():
        other[fold, shard] = shutil.copy(path, work / f"other-{fold}-{shard}.h5")
        with h5py.File(other[fold, shard], "a") as file:
            rows = np.flatnonzero(file["part"][:] == b"validation")
            for name in ("logmel", "target"):
                values = file[name][:]
                values[rows] = 0
                file[name][:] = values
    smk = training_stub(work, other, 1, folder="without_validation")
    train_model.main(smk)
    assert Path(smk.output.model).read_bytes() == Path(models[1].model).read_bytes()
    assert Path(smk.output.history).read_bytes() == Path(models[1].history).read_bytes()


def test_training_again_gives_the_same_bytes(work, features, models):
    smk = training_stub(work, features, 1, folder="again")
    train_model.main(smk)
    for name in ("model", "description", "history"):
        again, first = Path(getattr(smk.output, name)), Path(getattr(models[1], name))
        assert again.read_bytes() == first.read_bytes()


def test_a_finished_training_is_written_out_again_without_training(
    work, features, models, monkeypatch
):
    first = Path(models[1].model).read_bytes()
    Path(models[1].model).unlink()

    def refuse(*arguments, **named):
        raise AssertionError("a batch was drawn for a training that had ended")

    monkeypatch.setattr("tfseg.training.batches.generator", refuse)
    train_model.main(training_stub(work, features, 1))
    assert Path(models[1].model).read_bytes() == first


def test_model_folder_is_enough_to_use_the_model(models):

    network, description = load_model(models[1].model, models[1].description)
    assert description["classes"] == CLASSES
    assert description["features"] == params_of("extract_features")["features"]
    assert set(load_file(models[1].model)) == set(network.state_dict())


def test_a_model_folder_is_all_that_using_it_needs(work, corpus, features, models):
    card = Path(describe(models[1].description).card).read_text()
    folder = shutil.copytree(Path(models[1].model).parent, work / "elsewhere" / "a model")
    model = load_model_folder(folder)
    assert model.classes == tuple(CLASSES)
    assert model.settings.as_dict() == params_of("extract_features")["features"]
    assert (model.duration_s, model.resampler) == (2.0, "soxr_hq")
    assert asdict(model.detection.postprocessing) == params_of("describe_model")["postprocessing"]
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


def test_an_exported_model_gives_the_scores_of_the_workflow(work, features, models):
    folder = Path(describe(models[1].description).card).parent
    smk = stub(
        "export_model",
        inputs={
            "model": models[1].model,
            "description": models[1].description,
            "detection": str(folder / "detection.json"),
        },
        outputs={"onnx": str(work / "model.onnx")},
    )
    export_model.main(smk)
    session = onnxruntime.InferenceSession(smk.output.onnx)
    told = session.get_modelmeta().custom_metadata_map
    assert json.loads(told["classes"]) == CLASSES
    assert json.loads(told["features"]) == params_of("extract_features")["features"]
    assert (
        json.loads(told["detection"])["postprocessing"]
        == params_of("describe_model")["postprocessing"]
    )
    clips = load_features(of_fold(features, 1))
    network = load_model_folder(folder).network
    tags, frames, _ = infer(network, clips, batch_size=4, mask_thresholds=None)
    found = session.run(["tags", "frames"], {"logmel": clips.logmel.astype(np.float32)})
    np.testing.assert_allclose(found[0], tags, atol=1e-5)
    np.testing.assert_allclose(found[1].transpose(0, 2, 1), frames, atol=5e-4)  # of float16


def test_restrictive_licences_are_said_where_mixtures_and_weights_are_made(
    work, corpus, plan, features, capsys
):
    terms = work / "licences.json"
    before = terms.read_text()
    restricted = "TUT Urban: experimental, non-commercial use only"
    try:
        terms.write_text(json.dumps({"licences": {restricted: 3}, "restricted": [restricted]}))
        smk = training_stub(work, features, 1, folder="restricted")
        train_model.main(smk)
    finally:
        terms.write_text(before)
    said = capsys.readouterr().out
    assert "LICENCE: the weights of this model" in said
    assert restricted in said
    assert json.loads(Path(smk.output.description).read_text())["licences"] == {restricted: 3}
    card = Path(describe(smk.output.description).card).read_text()
    assert "restrict commercial use, and may also restrict that of these weights**:\nTUT" in card


def test_a_training_from_a_model_says_what_it_kept_and_is_bound_to_it(
    work, features, models, capsys
):
    found = {}
    for fold in (1, 2):
        smk = training_stub(work, features, 1, folder="fine_tuned")
        smk.input.start = str(models[fold].model)
        smk.input.start_description = str(models[fold].description)
        smk.params.start = f"digest of {fold}"
        smk.params.training["start_from"] = "a model"
        train_model.main(smk)
        said = capsys.readouterr().out
        assert "starting from a model" in said and "'kept_classes': ['Flute', 'Hi-hat']" in said
        # Of the other model: not resumed from, though all else is equal.
        assert ("starting anew" in said) == (fold == 2)
        found[fold] = json.loads(Path(smk.output.description).read_text())["started_from"]
        start = json.loads(Path(models[fold].description).read_text())
        assert found[fold]["weights_sha256"] == start["weights_sha256"]
        told = json.loads(Path(smk.output.description).read_text())["licences"]
        assert told == {text: 2 * n for text, n in start["licences"].items()}
        assert found[fold]["new_classes"] == found[fold]["dropped_classes"] == []
        weights = load_file(smk.output.model)
        np.testing.assert_array_equal(
            weights["band_mean"], load_file(models[fold].model)["band_mean"]
        )
