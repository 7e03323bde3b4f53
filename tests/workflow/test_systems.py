"""The example of docs/systems.md, followed to the letter."""

import json
import re

import pandas as pd
import pytest
from workflow_project import REPOSITORY, TINY, Project, copy_project

pytestmark = [pytest.mark.workflow, pytest.mark.full]


def test_a_system_of_ones_own_takes_one_file_and_one_line(tmp_path):
    text = (REPOSITORY / "docs/systems.md").read_text()
    module, line = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (settings,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    folder = copy_project(tmp_path / "workflow").folder
    models = folder / "workflow_scripts/tfseg/models"
    (models / "loudness.py").write_text(module)
    registry = models / "registry.py"
    registry.write_text(registry.read_text().rstrip().removesuffix("}") + line + "}\n")
    (tmp_path / "overlay.yaml").write_text(settings + "mixing:\n  snr_db: [0]\n")
    project = Project(folder, [*TINY, tmp_path / "overlay.yaml"])
    project.snakemake("--resources", "gpu=2")
    tables = folder / "results/tiny/tables"
    for task in ("tagging", "frame", "event"):
        table = pd.read_csv(tables / f"{task}_by_snr.csv").set_index(["system", "metric"])["ours"]
        assert table.loc["loudness"].notna().all()
    masks = pd.read_csv(tables / "mask_by_snr.csv").set_index(["system", "metric"])["ours"]
    assert masks.loc["loudness"].isna().all()
    assert masks.loc["gwrp"].notna().all()
    separation = pd.read_csv(tables / "separation.csv")
    assert set(separation["system"]) == {"no_separation", "ibm", "irm", "gwrp"}


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
