"""Every corpus, from its archives or folders to tables, on small copies of its layout."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from archive_host import facts, packed, serving, tree, wav
from workflow_project import Project, copy_project

pytestmark = [pytest.mark.workflow, pytest.mark.full]
QUICK = {
    "compare_with": None,
    "systems": ["gwrp"],
    "features": {"sample_rate": 8000, "window_length": 512, "hop_length": 256, "n_mels": 16, "fmax_hz": 4000.0},
    "trunk": {"vgg": {"widths": [4, 4]}},
    "training": {"iterations": 2, "batch_size": 2, "threads": 1, "history_every": 1},
    "inference": {"batch_size": 2, "threads": 1},
    "metrics": {"processes": 1},
    "separation": {"processes": 1},
}  # fmt: skip
MIXED = {"mixtures_per_fold": 4, "duration_s": 4.0, "onsets_s": [1.0], "snr_db": [0]}
# Figures and report do not depend on the corpus.
TO_TABLES = ("--until", "make_tables", "--resources", "gpu=2")
TABLES = [
    f"{task}_by_{by}" for task in ("tagging", "frame", "event", "mask") for by in ("snr", "class")
] + ["time_index"]


@pytest.fixture
def project(tmp_path):
    """Return a function that makes a project of QUICK and further overlays."""

    def make(*overlays, files=()):
        copied = copy_project(tmp_path / "workflow")
        paths = [copied.folder / file for file in files]
        for index, overlay in enumerate((QUICK, *overlays)):
            paths.append(tmp_path / f"overlay{index}.yaml")
            paths[-1].write_text(yaml.safe_dump(overlay))
        return Project(copied.folder, paths)

    return make


def registry_with(project, tmp_path, **changes):
    """A copy of the registry with other facts about some data sets."""
    registry = yaml.safe_load((project.folder / "resources/datasets.yaml").read_text())
    for name, facts_of in changes.items():
        registry[name] |= facts_of
    path = tmp_path / "datasets.yaml"
    path.write_text(yaml.safe_dump(registry))
    return str(path)


def overlaid(project, tmp_path, overlay):
    path = tmp_path / "last.yaml"
    path.write_text(yaml.safe_dump(overlay))
    return Project(project.folder, [*project.overlays, path])


def tables(project, run):
    folder = project.folder / "results" / run / "tables"
    return {name: pd.read_csv(folder / f"{name}.csv") for name in TABLES}


def test_tut_rare_2017_in_its_authors_split(project, tmp_path):
    rng = np.random.default_rng(0)
    source = "TUT-rare-sound-events-2017-development/data/source_data"
    labels = ["babycry", "glassbreak", "gunshot"]
    entries, split = {}, {}
    for part, first in (("devtrain", 0), ("devtest", 50)):
        of_part = {}
        for index, label in enumerate(labels):
            of_part[label] = []
            for take in range(2):
                name = f"{first + 10 * index + take}.wav"
                entries[f"{source}/events/{label}/{name}"] = wav(rng, 2, 16000)
                facts_of = yaml.safe_dump({"license": "CC BY-NC 3.0", "username": "ann"})
                entries[f"{source}/events/{label}/{name[:-4]}.yaml"] = facts_of.encode()
                of_part[label].append({"audio_filename": name, "segment": [0.5, 1.25]})
        split[f"{source}/cv_setup/events_{part}.yaml"] = yaml.safe_dump(of_part).encode()
        backgrounds = []
        for index in range(2):
            path = f"audio/a{first + index:03d}_0_30.wav"
            entries[f"{source}/bgs/{path}"] = wav(rng, 30, 8000)
            backgrounds.append({"filepath": path, "classname": "home"})
        split[f"{source}/cv_setup/bgs_{part}.yaml"] = yaml.safe_dump(backgrounds).encode()
    names = sorted(entries)
    prefix = "TUT-rare-sound-events-2017-development"
    archives = {
        f"{prefix}.source_data_events.zip": packed(
            {n: entries[n] for n in names if "/events/" in n}
        ),
        f"{prefix}.source_data_bgs_and_cvsetup.1.zip": packed(
            {n: entries[n] for n in names if "/bgs/" in n} | split
        ),
    }
    served = {f"/records/401395/files/{name}": content for name, content in archives.items()}
    made = project()
    with serving(served) as host:
        registry = registry_with(
            made,
            tmp_path,
            tut_rare_2017={
                "folders": {prefix: {name: facts(content) for name, content in archives.items()}},
                "expect": {"devtrain_backgrounds": 2, "devtest_backgrounds": 2},
            },
        )
        made = overlaid(
            made,
            tmp_path,
            {
                "run": "rare",
                "data_root": str(tmp_path / "data"),
                "download": {"hosts": {"zenodo": host}, "registry": registry},
                "corpus": {"kind": "tut_rare2017", "classes": labels},
                "split": {"kind": "fixed"},
                "mixing": MIXED | {"mixtures_per_fold": [4, 8]},
            },
        )
        made.snakemake("--resources", "gpu=2")
    results = made.folder / "results/rare"
    mixtures = pd.read_csv(results / "mixtures/mixtures.csv")
    assert mixtures["fold"].value_counts().to_dict() == {1: 4, 2: 8}
    # devtest is held out: its recordings are in part 1 and no model is trained for another.
    events = pd.read_csv(results / "corpus/events.csv")
    assert set(
        events.loc[events["fold"] == 1, "path"].str.extract(r"/(\d+)\.wav")[0].astype(int) // 50
    ) == {1}
    assert sorted(path.name for path in (results / "models/snr0/gwrp").iterdir()) == ["fold1"]
    assert events[["start_s", "stop_s"]].drop_duplicates().to_numpy().tolist() == [[0.5, 1.25]]
    assert tables(made, "rare")["tagging_by_snr"]["ours"].notna().all()
    assert json.loads((results / "corpus/licences.json").read_text())["restricted"]
    log = next((results / "logs/train_model").iterdir()).read_text()
    assert "LICENCE: the weights" in log


def esc50_files(rng, categories, folds):
    """A folder in ESC-50's layout: path to content."""
    rows, files = ["filename,fold,target,category,esc10,src_file,take"], {}
    for target, category in enumerate(categories):
        for fold in folds:
            for source in range(2):
                number = 1000 * fold + 10 * target + source
                name = f"{fold}-{number}-A-{target}.wav"
                rows.append(f"{name},{fold},{target},{category},True,{number},A")
                files[f"audio/{name}"] = wav(rng, 2.0, 11025)
    files["meta/esc50.csv"] = ("\n".join(rows) + "\n").encode()
    files["LICENSE"] = b"- [1-1000-A.ogg]: clip derived from x.wav (http://a/1) by ann [CC0]\n"
    return files


CATEGORIES = ["dog", "rooster", "rain"]
ESC50 = {
    "corpus": {"kind": "esc50", "classes": ["dog", "rooster"], "scenes": ["rain"]},
    "mixing": MIXED,
}


def test_esc50_from_github_in_its_own_folds(project, tmp_path):
    files = esc50_files(np.random.default_rng(1), CATEGORIES, (1, 2))
    commit = "33c8ce9eb2cf0b1c2f8bcf322eb349b6be34dbb6"
    archive = packed({f"ESC-50-{commit}/{path}": content for path, content in files.items()})
    served = {
        f"/karolpiczak/ESC-50/archive/{commit}.zip": archive,
        f"/repos/karolpiczak/ESC-50/git/trees/{commit}": tree(files),
    }
    made = project(ESC50, files=["experiments/esc50.yaml"])
    with serving(served, whole=["/karolpiczak"]) as host:
        registry = registry_with(made, tmp_path, esc50={"expect": {"clips": 12}})
        hosts = {"github": host, "github_api": host}
        made = overlaid(
            made,
            tmp_path,
            {
                "data_root": str(tmp_path / "data"),
                "download": {"hosts": hosts, "registry": registry},
                "split": {"folds": 2, "by": "corpus"},
            },
        )
        made.snakemake(*TO_TABLES)
    events = pd.read_csv(made.folder / "results/esc50/corpus/events.csv")
    in_name = events["path"].str.extract(r"audio/(\d)-")[0].astype(int)
    assert (in_name == events["fold"]).all()
    assert tables(made, "esc50")["mask_by_snr"]["ours"].notna().all()
    assert made.planned(*TO_TABLES) == {}


def test_a_part_of_esc50_that_lies_there_is_used_as_it_is(project, tmp_path):
    data = tmp_path / "part of it"
    for path, content in esc50_files(np.random.default_rng(2), CATEGORIES, (1, 3)).items():
        (data / path).parent.mkdir(parents=True, exist_ok=True)
        (data / path).write_bytes(content)
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    made = project(
        ESC50, {"data_root": str(data), "split": {"folds": 2}}, files=["experiments/esc50.yaml"]
    )
    made.snakemake("--until", "extract_features")
    assert {path: path.stat().st_mtime_ns for path in data.rglob("*")} == before
    events = pd.read_csv(made.folder / "results/esc50/corpus/events.csv")
    assert (events.groupby("group")["fold"].nunique() == 1).all()


def own_folders(data):
    rng = np.random.default_rng(3)
    for label in ("dog", "car horn"):
        for index in range(4):
            path = data / "events" / label / f"{index // 2}__{index}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            sound = np.zeros((12000, 2))
            sound[2000:8000] = 0.1 * rng.standard_normal((6000, 2))
            soundfile.write(path, sound, 12000)
    for index in range(2):
        path = data / "scenes" / f"park{index}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * rng.standard_normal(24000), 8000)


def test_own_folders_become_mixtures(project, tmp_path):
    data = tmp_path / "mine"
    own_folders(data)
    (data / "events/dog/broken.wav").write_bytes(b"RIFF")
    overlay = {
        "data_root": str(data),
        "corpus": {"classes": ["dog", "car horn"]},
        "mixing": MIXED,
    }
    made = project(overlay, files=["experiments/own.yaml"])
    made.snakemake(*TO_TABLES)
    results = made.folder / "results/own"
    report = pd.read_csv(results / "corpus/corpus_report.csv")
    assert report["problem"].tolist() == ["unreadable"]
    events = pd.read_csv(results / "corpus/events.csv")
    assert len(events) == 8
    np.testing.assert_allclose(events["start_s"], 2000 / 12000, atol=1e-6)
    np.testing.assert_allclose(events["stop_s"], 8000 / 12000, atol=1e-6)
    assert tables(made, "own")["mask_by_class"]["ours"].notna().all()
    assert made.planned(*TO_TABLES) == {}
    # A recording that was replaced is noticed.
    own = np.random.default_rng(4).standard_normal(9000)
    soundfile.write(data / "events/dog/0__0.flac", 0.1 * own, 12000)
    planned = made.planned()
    assert {"list_recordings", "inspect_recordings"} <= set(planned)
    made.snakemake("--until", "render_stems", "--resources", "gpu=2")
    assert len(pd.read_csv(results / "corpus/events.csv")["stop_s"].unique()) == 2


@pytest.mark.parametrize("with_times", [True, False])
def test_own_clips_of_any_length_are_used_as_they_are(project, tmp_path, with_times):
    data = tmp_path / "mine"
    (data / "sound").mkdir(parents=True)
    rng = np.random.default_rng(5)
    rows, strong = ["path,tags"], ["filename\tonset\toffset\tevent_label"]
    for index in range(10):
        name = f"sound/{index}.wav"
        tags = [["dog"], ["dog", "siren"], ["siren"], []][index % 4]
        soundfile.write(
            data / name, 0.1 * rng.standard_normal(int(8000 * (0.05, 1.5, 3.7)[index % 3])), 8000
        )
        rows.append(f"{name},{';'.join(tags)}")
        if index < 8 and index % 3:
            strong += [f"{name}\t0.2\t0.9\t{tag}" for tag in tags] or [f"{name}\t\t\t"]
    (data / "clips.csv").write_text("\n".join(rows) + "\n")
    if with_times:
        (data / "strong.tsv").write_text("\n".join(strong) + "\n")
    overlay = {
        "data_root": str(data),
        "corpus": {"kind": "clips", "classes": ["dog", "siren"]},
        "training": {"excerpt_s": 1.0},
        "mixing": {"shard_size": 2},
    }
    made = project(overlay, files=["experiments/own.yaml"])
    wanted = ("--resources", "gpu=2") if with_times else TO_TABLES
    made.snakemake(*wanted)
    found = tables(made, "own")
    assert found["tagging_by_snr"]["ours"].notna().all()
    assert found["mask_by_snr"]["ours"].isna().all()
    for task in ("frame", "event"):
        assert found[f"{task}_by_snr"]["ours"].notna().all() == with_times
    probe = found["time_index"]["variant"] == "time_index"  # no plan says when events begin
    assert found["time_index"].loc[probe, "ours"].isna().all()
    folder = made.folder / "results/own"
    assert "–" in (folder / "tables/mask_by_snr.md").read_text()
    detected = pd.concat(pd.read_csv(path, sep="\t") for path in folder.glob("events/*/*/*/*.tsv"))
    assert set(detected["filename"]) == {f"sound/{index}.wav" for index in range(10)}
    assert made.planned(*wanted) == {}
    if not with_times:  # they may come later: only scores are computed anew
        (data / "strong.tsv").write_text("\n".join(strong) + "\n")
        again = set(made.planned(*TO_TABLES))
        assert not {"list_recordings", "extract_clip_features", "train_model"} & again
        made.snakemake(*TO_TABLES)
        assert tables(made, "own")["frame_by_snr"]["ours"].notna().all()


def test_a_misspelt_tag_is_said_and_stops_the_run(project, tmp_path):
    data = tmp_path / "mine"
    data.mkdir()
    for index in range(4):
        soundfile.write(
            data / f"{index}.wav", np.random.default_rng(index).normal(0, 0.1, 8000), 8000
        )
    (data / "clips.csv").write_text("path,tags\n0.wav,dog\n1.wav,dgo\n2.wav,dog\n3.wav,siren\n")
    overlay = {"data_root": str(data), "corpus": {"kind": "clips", "classes": ["dog", "siren"]}}
    made = project(overlay, files=["experiments/own.yaml"])
    result = made.snakemake("--until", "list_recordings", check=False)
    assert result.returncode != 0
    assert "dgo (1 times, did you mean dog?)" in result.text
    assert "corpus.other_labels: ignore" in result.text


@pytest.mark.parametrize(
    ("kind", "says"), [("folders", "events: expected"), ("clips", "clips.csv: expected")]
)
def test_own_recordings_that_are_not_there_are_said_before_any_job(project, tmp_path, kind, says):
    overlay = {"data_root": str(tmp_path / "typo"), "corpus": {"kind": kind}}
    made = project(overlay, files=["experiments/own.yaml"])
    result = made.snakemake("-n", check=False)
    assert result.returncode != 0
    assert says in result.text
    assert "docs/reference/own_recordings.md" in result.text
