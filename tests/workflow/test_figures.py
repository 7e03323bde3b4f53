"""The example of docs/how-to/add_a_figure.md, followed exactly."""

import re
import shutil

import pytest
from workflow_project import REPOSITORY, TINY, Project

pytestmark = pytest.mark.workflow


def test_a_figure_of_ones_own_takes_one_file_and_runs_nothing_else(finished, tmp_path):
    text = (REPOSITORY / "docs/how-to/add_a_figure.md").read_text()
    (module,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (place,) = re.findall(r"`(workflow_scripts/\S*/figures/\w+\.py)`", text)
    (command,) = re.findall(r"^    snakemake --cores 2 (.*\.png)$", text, re.MULTILINE)
    folder = tmp_path / "workflow"
    shutil.copytree(finished.folder, folder, symlinks=True)
    project = Project(folder, TINY)
    assert project.planned() == {}
    (folder / place).write_text(module)
    assert project.planned() == {"plot_figure": 1, "make_report": 1}
    picture = command.replace("<run>", "tiny")
    project.snakemake(picture, "--cores", "2")
    assert (folder / picture).read_bytes().startswith(b"\x89PNG")
    assert (folder / picture).with_suffix(".svg").exists()
    (folder / place).write_text(module.replace("0.8 / len", "0.7 / len"))
    assert project.planned() == {"plot_figure": 1, "make_report": 1}
