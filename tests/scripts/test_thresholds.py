"""Thresholds that are tuned on validation clips."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from script_stubs import (
    CLASSES,
    FOLDS,
    REPOSITORY,
    detect,
    of_fold,
    score,
    stub,
    tuning_stub,
)

import describe_model
import tune_detection
from tfseg.features.feature_set import load_features
from tfseg.inference.events import of_class
from tfseg.inference.operating_point import read_detection


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


def test_only_the_validation_part_chooses_thresholds(work, plan, features, models, tuned):
    # Files with only its clips give the same thresholds.
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
    smk = tuning_stub(plan, models[1], other, outputs, 1)
    tune_detection.main(smk)
    for name in ("detection", "tuning"):
        again, first = Path(getattr(smk.output, name)), Path(getattr(tuned[1], name))
        assert again.read_bytes() == first.read_bytes()


def test_tuned_scores_stand_beside_the_published_ones(work, plan, scores, events, tuned, metrics):
    detections = {fold: tuned[fold].detection for fold in FOLDS}
    found = {
        fold: detect(scores[fold].scores, str(work / f"tuned_events{fold}.tsv"), [path])
        for fold, path in detections.items()
    }
    path = str(work / "tuned_part.csv")
    score(plan, scores, events, path, detection=detections, tuned_events=found)
    table = pd.read_csv(path)
    # The published scores are unchanged.
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
        tuned=True,
    )
    describe_model.main(smk)
    assert "tuned on validation clips" in card.read_text()
    assert "| `Flute` | " in card.read_text()
