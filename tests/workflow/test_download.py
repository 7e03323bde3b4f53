"""The paper's own configuration, from the host's archives to tables, with miniature archives."""

import io
import os
import zipfile

import numpy as np
import pandas as pd
import pytest
import yaml
from archive_host import facts, packed, record, serving, wav
from workflow_project import Project, copy_project

pytestmark = [pytest.mark.workflow, pytest.mark.full]
CLASSES = ["Bark", "Flute", "Hi-hat"]
SCENES = "TUT-urban-acoustic-scenes-2018-development"


@pytest.fixture(scope="module")
def archives():
    """Miniatures in the real archives' inner layout: name to content."""
    rng = np.random.default_rng(0)
    events, meta = {}, ["fname,label,manually_verified,freesound_id,license"]
    for index in range(18):
        name = f"{index:08x}.wav"
        verified = int(index < 15)
        meta.append(f"{name},{CLASSES[index % 3]},{verified},{1000 + index},CC-BY")
        events[f"FSDKaggle2018.audio_train/{name}"] = wav(rng, rng.uniform(0.3, 2.5), 44100)
    scenes, scene_meta = {}, ["filename\tscene_label\tidentifier\tsource_label"]
    for index in range(8):
        name = f"audio/park-berlin-{index // 2}-{index}-a.wav"
        scene_meta.append(f"{name}\tpark\tberlin-{index // 2}\ta")
        scenes[f"{SCENES}/{name}"] = wav(rng, 10, 16000)
    names = sorted(scenes)
    return {
        "FSDKaggle2018.audio_train.zip": packed(events),
        "FSDKaggle2018.meta.zip": packed(
            {"FSDKaggle2018.meta/train_post_competition.csv": "\n".join(meta) + "\n"}
        ),
        f"{SCENES}.meta.zip": packed({f"{SCENES}/meta.csv": "\n".join(scene_meta) + "\n"}),
        f"{SCENES}.audio.1.zip": packed({name: scenes[name] for name in names[:4]}),
        f"{SCENES}.audio.2.zip": packed({name: scenes[name] for name in names[4:]}),
    }


@pytest.fixture(scope="module")
def host(archives):
    """Address of a server with zenodo's paths; the first answer for an archive is cut off."""
    numbers = {"FSDKaggle2018": 2552860, SCENES: 1228142}
    files = {
        f"/records/{number}/files/{name}": content
        for begin, number in numbers.items()
        for name, content in archives.items()
        if name.startswith(begin)
    }
    known = {name: content for name, content in archives.items() if name.startswith("FSDK")}
    files["/api/records/2552860"] = record(known)
    with serving(files) as address:
        yield address


@pytest.fixture
def project(tmp_path, archives, host):
    registry = yaml.safe_load(
        (copy_project(tmp_path / "workflow").folder / "resources/datasets.yaml").read_text()
    )
    registry["tut_urban_2018"]["folders"][SCENES] = {
        name: facts(content) for name, content in archives.items() if name.startswith(SCENES)
    }
    registry["tut_urban_2018"]["expect"] = {"scenes": 8, "scene_kinds": 1}
    registry["fsdkaggle2018"]["expect"] = {"verified_recordings": 15, "labels": 3}
    (tmp_path / "datasets.yaml").write_text(yaml.safe_dump(registry))
    overlay = {
        "data_root": str(tmp_path / "data"),
        "download": {"hosts": {"zenodo": host}, "registry": str(tmp_path / "datasets.yaml")},
        "corpus": {"classes": CLASSES},
        "split": {"folds": 2},
        "mixing": {"mixtures_per_fold": 4, "snr_db": [0]},
        "systems": ["gwrp"],
        "training": {"iterations": 2, "batch_size": 2, "threads": 1, "history_every": 1},
        "inference": {"batch_size": 2, "threads": 1},
        "metrics": {"processes": 1},
        "separation": {"processes": 1},
    }
    (tmp_path / "overlay.yaml").write_text(yaml.safe_dump(overlay))
    return Project(tmp_path / "workflow", [tmp_path / "overlay.yaml"])


def test_from_the_host_to_the_paper_tables(project, tmp_path):
    project.snakemake("--resources", "gpu=2")
    table = pd.read_csv(project.folder / "results/tfseg2019/tables/tagging_by_snr.csv")
    row = table[(table["metric"] == "map") & (table["system"] == "gwrp")].iloc[0]
    assert row["paper"] == 0.596  # TASLP Table II, 0 dB
    assert row["difference"] == pytest.approx(row["ours"] - 0.596)
    events = pd.read_csv(project.folder / "results/tfseg2019/corpus/events.csv")
    assert len(events) == 15  # the manually verified ones
    assert project.planned() == {}
    left = [path for path in (tmp_path / "data").rglob("*") if ".part" in path.name]
    assert left == []


def test_unpacked_folders_are_used_as_they_are(project, tmp_path, archives):
    for content in archives.values():
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(tmp_path / "data")
    # As unzip leaves them: the archives lie beside and are newer than the folders.
    for name, content in archives.items():
        (tmp_path / "data" / name).write_bytes(content)
    for folder in (tmp_path / "data").iterdir():
        if folder.is_dir():
            os.utime(folder, (1.5e9, 1.5e9))
    assert "unpack_folder" not in project.planned("--forceall")
    planned = project.planned()
    assert not {"ask_record", "fetch_archive", "unpack_folder"} & set(planned)
    assert planned["list_recordings"] == 1


def test_archives_that_are_there_are_verified_not_fetched(project, tmp_path, archives):
    (tmp_path / "data").mkdir()
    for name, content in archives.items():
        (tmp_path / "data" / name).write_bytes(content)
    assert "fetch_archive" not in project.planned()
    damaged = tmp_path / "data" / f"{SCENES}.audio.2.zip"
    damaged.write_bytes(damaged.read_bytes()[:-10])
    result = project.snakemake("--until", "unpack_folder", check=False)
    assert result.returncode != 0
    assert f"{SCENES}.audio.2.zip: expected" in result.text
    assert damaged.exists()
    assert not (tmp_path / "data" / SCENES).exists()
    assert (tmp_path / "data" / "FSDKaggle2018.audio_train").is_dir()
