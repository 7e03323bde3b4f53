"""Corpora declare themselves: what is read of them, and what an experiment makes of it."""

import copy
import importlib
import json
import os
import subprocess
import sys

import jsonschema
import pytest
import yaml

from tfseg.datasets import corpora
from tfseg.datasets.downloads import Downloads
from tfseg.datasets.registry import load_registry
from tfseg.errors import ConfigError
from tfseg.run.digest import modules_of

KINDS = ["clips", "dcase2018", "embedded", "esc50", "folders", "tut_rare2017"]
URBAN = "TUT-urban-acoustic-scenes-2018-development"
ESC50 = "ESC-50-33c8ce9eb2cf0b1c2f8bcf322eb349b6be34dbb6"


@pytest.fixture
def config(repository):
    return yaml.safe_load((repository / "config.yaml").read_text())


@pytest.fixture
def find(repository, config, tmp_path):
    """Return a function that finds the source of a kind in `tmp_path`."""
    datasets = load_registry(repository / "resources/datasets.yaml")

    def make(kind, change=lambda datasets: None, **section):
        config["corpus"] |= {"kind": kind, "classes": ["Bark", "Gong"], **section}
        config["data_root"] = str(tmp_path)
        change(datasets)
        return corpora.find_source(config, Downloads(datasets, str(tmp_path)))

    return make


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


# Declarations


def test_the_corpora_are_found():
    assert corpora.corpus_kinds() == KINDS
    assert [kind for kind, c in corpora.find_corpora().items() if c.is_clips] == ["clips"]
    assert all(corpus.summary for corpus in corpora.find_corpora().values())


def test_they_are_read_without_what_makes_jobs_slow(repository):
    program = (
        "import json, sys; from tfseg.datasets import corpora; kinds = corpora.corpus_kinds(); "
        "print(json.dumps([kinds, list(sys.modules)]))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(repository / "workflow_scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    kinds, modules = json.loads(found.stdout)
    assert kinds == KINDS
    assert not {"pandas", "numpy", "torch", "requests"} & set(modules)


@pytest.mark.parametrize("kind", KINDS)
def test_each_module_does_what_it_declares(kind):
    module = importlib.import_module(f"tfseg.datasets.{kind}")
    corpus = corpora.find_corpora()[kind]
    assert hasattr(module, "render_corpus" if corpus.renders else "list_recordings")
    assert bool(corpus.sources) + bool(corpus.downloads) + corpus.renders == 1


def test_its_own_code_alone_decides_whether_a_corpus_is_listed_again(repository):
    files = {corpus.file for corpus in corpora.find_corpora().values()}
    script = repository / "workflow_scripts/list_recordings.py"
    assert not files & set(modules_of(script))
    for corpus in corpora.find_corpora().values():
        assert files & set(modules_of(corpus.function)) == {corpus.file}


@pytest.mark.parametrize(
    ("declaration", "says"),
    [
        ("dict(summary='', holds='events')", "expected a literal"),
        ("{'summary': '', 'holds': 'events', 'colour': 1}", "colour"),
        ("{'summary': ''}", "holds"),
        ("{'summary': '', 'holds': 'birds'}", r"expected holds out of .*found 'birds'"),
        ("{'summary': '', 'holds': 'events', 'split': 'x'}", "expected split out of"),
        ("{'summary': '', 'holds': 'clips'}", "expected clip_list with"),
        ("{'summary': '', 'holds': 'events', 'clip_list': 'a.csv'}", "expected clip_list with"),
    ],
)
def test_a_declaration_that_cannot_be_used_is_named(tmp_path, declaration, says):
    (tmp_path / "birds.py").write_text(f'"""Birds."""\n\nDECLARATION = {declaration}\n')
    with pytest.raises(ConfigError, match=rf"birds\.py: DECLARATION: .*{says}"):
        corpora.find_corpora(tmp_path)


def test_a_module_without_declaration_is_no_corpus(tmp_path):
    (tmp_path / "folds.py").write_text("def f():\n    DECLARATION = {}\n")
    assert corpora.find_corpora(tmp_path) == {}


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        ("clips", {"folds", "fixed"}),
        ("dcase2018", set()),
        ("embedded", set()),
        ("esc50", {"folds"}),
        ("folders", set()),
        ("tut_rare2017", {"fixed"}),
    ],
)
def test_which_splits_are_their_own(kind, own):
    corpus = corpora.find_corpora()[kind]
    assert {split for split in ("folds", "fixed") if corpus.has_own_split(split)} == own


def test_declared_settings_are_those_of_the_config(config):
    for kind, corpus in corpora.find_corpora().items():
        assert corpus.own_settings({}) == config["corpus"].get(kind, {})
        for schema in corpus.settings.values():
            jsonschema.validate(schema["default"], schema)
            assert schema["description"]
    embedded = corpora.find_corpora()["embedded"]
    assert embedded.own_settings({"embedded": {"part": "development"}}) == (
        config["corpus"]["embedded"] | {"part": "development"}
    )


def test_the_schema_takes_a_new_kind_and_its_settings(monkeypatch, tmp_path):
    declared = {
        "summary": "",
        "holds": "events",
        "settings": {"n": {"type": "integer", "default": 1, "description": "N"}},
    }
    (tmp_path / "birds.py").write_text(f"\nDECLARATION = {declared!r}\n")
    monkeypatch.setattr(corpora, "find_corpora", lambda: found)
    found = {"birds": corpora.Corpus(kind="birds", file=tmp_path / "birds.py", **declared)}
    schema = {"properties": {"corpus": {"additionalProperties": False, "properties": {"kind": {}}}}}
    before = copy.deepcopy(schema)
    made = corpora.declared_schema(schema)
    assert schema == before
    jsonschema.validate({"corpus": {"kind": "birds", "birds": {"n": 2}}}, made)
    for wrong in ({"kind": "bees"}, {"birds": {"n": "2"}}, {"birds": {"m": 2}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"corpus": wrong}, made)


# The source of an experiment


def test_downloaded_corpora_need_the_folders_of_their_data_sets(find, tmp_path):
    source = find("dcase2018")
    folders = ["FSDKaggle2018.audio_train", "FSDKaggle2018.meta", URBAN]
    assert source.inputs == [f"{tmp_path}/{folder}" for folder in folders]
    assert source.folder == str(tmp_path)
    assert source.choice == {
        "classes": ["Bark", "Gong"],
        "scenes": None,
        "expect": {"verified_recordings": 3710, "labels": 41, "scenes": 8640, "scene_kinds": 10},
    }
    assert source.state == "" and source.clip_events == []


def test_the_authors_counts_go_with_their_data_set(find):
    expect = find("tut_rare2017", scenes=["home"]).choice["expect"]
    assert expect == {"devtrain_backgrounds": 844, "devtest_backgrounds": 277}


@pytest.mark.parametrize("is_there", [False, True])
def test_esc50_is_a_folder_of_its_own(find, tmp_path, is_there):
    if is_there:
        write(tmp_path / ESC50 / "meta/esc50.csv")
    source = find("esc50")
    assert source.inputs == [source.folder] == [f"{tmp_path}/{ESC50}"]
    assert source.choice["expect"] == {"clips": 2000}


def test_part_of_esc50_may_be_the_data_root_itself(find, tmp_path):
    write(tmp_path / "meta/esc50.csv")
    write(tmp_path / ESC50 / "meta/esc50.csv")
    source = find("esc50")
    assert source.inputs == [source.folder] == [str(tmp_path)]
    assert "expect" not in source.choice


def test_embedded_needs_nothing(find):
    source = find("embedded")
    assert source.inputs == [] and source.corpus.renders


def test_folders_of_the_user(find, tmp_path):
    write(tmp_path / "events/Bark/a.wav")
    write(tmp_path / "scenes/park/b.wav")
    source = find("folders", other_labels="ignore")
    assert source.inputs == [f"{tmp_path}/events", f"{tmp_path}/scenes"]
    assert source.folder == str(tmp_path)
    choice = {"classes": ["Bark", "Gong"], "scenes": None, "other_labels": "ignore"}
    assert source.choice == choice
    states = {source.state}
    for name in ("events/Bark/c.wav", "scenes/d.wav", "attribution.csv"):
        write(tmp_path / name, "new")
        states.add(find("folders").state)
    assert len(states) == 4
    write(tmp_path / "elsewhere.wav")
    assert find("folders").state in states


def test_clips_of_the_user(find, tmp_path):
    write(tmp_path / "clips.csv", "path,tags\na.wav,Bark\n/elsewhere/b.wav,Gong\n\n")
    write(tmp_path / "a.wav")
    source = find("clips")
    assert source.inputs == [f"{tmp_path}/clips.csv"]
    assert source.choice == {"classes": ["Bark", "Gong"], "other_labels": "error"}
    assert source.corpus.n_clips(source.data_root) == 2
    assert {path.name for path in source.user_files()} == {
        "attribution.csv",
        "clips.csv",
        "a.wav",
        "b.wav",
    }
    before = source.state
    assert source.clip_events == []
    write(tmp_path / "strong.tsv")
    assert find("clips").clip_events == [f"{tmp_path}/strong.tsv"]
    assert find("clips").state == before  # times of events are for scoring only
    write(tmp_path / "a.wav", "new")
    assert find("clips").state != before


def test_a_list_of_clips_that_is_no_table_does_not_stop_the_plan(find, tmp_path):
    (tmp_path / "clips.csv").write_bytes(b'path,tags\n"a\x00\n\r\rb\rc' + b"x" * 200_000)
    source = find("clips")
    assert source.corpus.n_clips(source.data_root) >= 1
    assert source.state


def test_a_missing_source_is_named_with_its_page(find, tmp_path):
    expected = rf"{tmp_path}/clips\.csv: expected with corpus\.kind clips.*docs/reference/own_recordings\.md"
    with pytest.raises(ConfigError, match=expected):
        find("clips")


def test_a_registry_that_lacks_what_a_corpus_needs_is_said(find):
    with pytest.raises(ConfigError, match=r"download\.registry: expected the data set esc50"):
        find("esc50", lambda datasets: datasets.pop("esc50"))


def test_counts_that_a_registry_lacks_are_named(find):
    with pytest.raises(ConfigError, match=r"expected the counts labels in expect of fsdk"):
        find("dcase2018", lambda datasets: datasets["fsdkaggle2018"].expect.pop("labels"))
