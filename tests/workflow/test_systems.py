"""The example of docs/systems.md, followed to the letter."""

import re

import pandas as pd
import pytest
from workflow_project import REPOSITORY, TINY, Project, copy_project

pytestmark = pytest.mark.workflow


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
