"""The example of docs/how-to/add_a_system.md, followed exactly."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from workflow_project import REPOSITORY, TINY, Project, copy_project

pytestmark = [pytest.mark.workflow, pytest.mark.full]


def test_a_network_a_pooling_and_a_trunk_of_ones_own_take_a_file_each(tmp_path):
    text = (REPOSITORY / "docs/how-to/add_a_system.md").read_text()
    examples = re.findall(
        r"`(workflow_scripts/tfseg/models/\w+/\w+\.py)`:\n\n```python\n(.*?)```", text, re.DOTALL
    )
    (settings,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    folder = copy_project(tmp_path / "workflow").folder
    assert [Path(path).parts[-2] for path, _ in examples] == ["networks", "poolings", "trunks"]
    for path, module in examples:
        assert not (folder / path).exists()
        (folder / path).write_text(module)
    (tmp_path / "overlay.yaml").write_text(settings + "mixing:\n  snr_db: [0]\n")
    project = Project(folder, [*TINY, tmp_path / "overlay.yaml"])
    project.snakemake("--resources", "gpu=2")
    tables = folder / "results/tiny/tables"
    for task in ("tagging", "frame", "event"):
        table = pd.read_csv(tables / f"{task}_by_snr.csv").set_index(["system", "metric"])["ours"]
        for system in ("loudness", "top_share", "narrow"):
            assert table.loc[system].notna().all()
    masks = pd.read_csv(tables / "mask_by_snr.csv").set_index(["system", "metric"])["ours"]
    assert masks.loc["loudness"].isna().all()
    for system in ("gwrp", "top_share", "narrow"):
        assert masks.loc[system].notna().all()
    separation = pd.read_csv(tables / "separation.csv")
    with_masks = {"gwrp", "top_share", "narrow"}
    assert set(separation["system"]) == {"no_separation", "ibm", "irm"} | with_masks
    models = folder / "results/tiny/models/snr0"
    described = json.loads((models / "narrow/fold1/seed0/model.json").read_text())
    assert described["pooling"] == {"top_share": {"share": 0.1}}
    assert described["trunk"]["kind"] == "single"
    assert "vgg" not in described["trunk"]


VARIANTS = """
systems: [gwrp, far, student]
mixing:
  snr_db: [0]
  kinds: [mixture, scene]
training:
  kinds: [mixture]
variants:
  far:
    system: linear_softmax
    trunk: {kind: unet, unet: {widths: [4, 8]}}
    training: {kinds: null, average_weights: 0.9, augmentation: {mixup: 0.5, time_shift: true}}
  student:
    system: linear_softmax
    teacher: far
    trunk: {kind: unet, unet: {widths: [4, 8]}, share_energy: true}
"""


def test_variants_are_systems_and_each_key_re_trains_only_whom_it_concerns(tmp_path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(VARIANTS)
    folder = copy_project(tmp_path / "workflow").folder
    project = Project(folder, [*TINY, overlay])
    systems = ("gwrp", "far", "student")
    scores = [f"results/tiny/metrics/snr0/{system}/seed0.csv" for system in systems]
    project.snakemake(*scores, "--resources", "gpu=2")
    for path in scores:
        metrics = pd.read_csv(folder / path)
        assert metrics.query("task == 'mask' and `class` == 'macro'")["value"].notna().all()
    results = folder / "results/tiny"
    models = {s: results / f"models/snr0/{s}/fold1/seed0/model.json" for s in ("far", "student")}
    described = {system: json.loads(path.read_text()) for system, path in models.items()}
    assert described["far"]["network"] == described["student"]["network"] == "linear_softmax"
    assert described["student"]["teacher"] == "far"
    assert described["student"]["trunk"]["share_energy"]
    # Scenes alone are negatives of the one that asks for them: as many as there are mixtures.
    assert described["far"]["data"]["mixtures"] == 2 * described["student"]["data"]["mixtures"]

    assert project.planned(*scores) == {}
    overlay.write_text(VARIANTS.replace("share_energy: true", "share_energy: false"))
    assert project.planned(*scores)["train_model"] == 2  # the student's, one for each fold
    overlay.write_text(VARIANTS.replace("mixup: 0.5", "mixup: 0.0"))
    # Its own two, and those of the student.
    assert project.planned(*scores)["train_model"] == 4
