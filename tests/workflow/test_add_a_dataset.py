"""The example of docs/how-to/add_a_dataset.md, followed exactly."""

import re

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from workflow_project import REPOSITORY, Project, copy_project

pytestmark = pytest.mark.workflow
MODULE = "workflow_scripts/tfseg/datasets/field_trip.py"
OVERLAY = "experiments/field_trip.yaml"
BLOCK = re.compile(r"```(?:python|yaml)\n(.*?)```", re.DOTALL)
FILE = re.compile(r"^`(\S+)`:\n\n```\w+\n(.*?)```", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def page():
    return (REPOSITORY / "docs/how-to/add_a_dataset.md").read_text()


@pytest.fixture
def project(tmp_path, page):
    copied = copy_project(tmp_path / "workflow")
    files = dict(FILE.findall(page))
    assert list(files) == [MODULE, OVERLAY]  # the data set is one of them, the experiment the other
    for name, content in files.items():
        assert not (copied.folder / name).exists()
        (copied.folder / name).write_text(content)
    return Project(copied.folder, [copied.folder / OVERLAY])


def write_recordings(root):
    (root / "audio").mkdir(parents=True)
    rows, rng = ["file,species,place,night,rating"], np.random.default_rng(0)
    for night in (1, 2):
        for species, place, rating in (("Swift", "", 5), ("Wren", "", 2), ("", "meadow", 5)):
            name = f"{(species or place).lower()}{night}.wav"
            soundfile.write(root / "audio" / name, rng.uniform(-0.5, 0.5, 8000), 8000)
            rows.append(f"{name},{species},{place},{night},{rating}")
    rows.append("faint.wav,Wren,,1,1")
    (root / "calls.csv").write_text("\n".join(rows) + "\n")


def test_one_module_is_a_data_set(project):
    write_recordings(project.folder / "field_trip")
    project.snakemake("--cores", "1", "--until", "prepare_corpus")
    corpus = project.folder / "results/field_trip/corpus"
    events = pd.read_csv(corpus / "events.csv")
    assert sorted(zip(events["label"], events["fold"], strict=True)) == [
        ("Swift", 1),
        ("Swift", 2),
        ("Wren", 1),
        ("Wren", 2),
    ]
    assert pd.read_csv(corpus / "scenes.csv")["fold"].tolist() == [1, 2]
    # Its own setting is checked, and counts: with the default the wrens are rated too low.
    overlay = project.folder / OVERLAY
    text = overlay.read_text()
    overlay.write_text(text.replace("least_rating: 2", "least_rating: 9"))
    refused = project.snakemake("-n", check=False)
    assert refused.returncode and "corpus.field_trip.least_rating" in refused.text
    overlay.write_text(text.replace("  field_trip: {least_rating: 2}\n", ""))
    refused = project.snakemake("--cores", "1", "--until", "list_recordings", check=False)
    assert refused.returncode and "no recording of Wren" in refused.text


def test_a_downloaded_one_has_an_entry_in_the_registry(project, page):
    entry, declared = BLOCK.findall(page)[-2:]
    module, registry = project.folder / MODULE, project.folder / "resources/datasets.yaml"
    module.write_text(
        module.read_text().replace('    "sources": ["calls.csv", "audio"],\n', declared)
    )
    with registry.open("a") as stream:
        stream.write(entry)
    assert yaml.safe_load(registry.read_text())["field_trip"]["expect"] == {"calls": 4}
    planned = project.planned("--until", "prepare_corpus")
    assert planned["fetch_archive"] == planned["unpack_folder"] == 1
    assert planned["list_recordings"] == 1
