"""The search: what it trains, what it skips, and the tables that it prints."""

import json

import pytest
import search
import yaml

PLAN = {
    "corpora": {"a_fixed": [], "b_random": []},
    "candidates": "candidates.yaml",
    "held_out": 1,
    "stages": [
        {"candidates": ["one"], "corpora": ["a_fixed", "b_random"], "snr_db": [0], "seeds": [0]},
        {"candidates": ["one", "two"], "corpora": ["a_fixed"], "snr_db": [0], "seeds": [0, 1]},
    ],
}
CANDIDATES = {
    "training": {"iterations": 5},
    "variants": {"one": {"system": "gap"}, "two": {"system": "gmp"}},
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A plan and candidates of its own, and no lines yet."""
    monkeypatch.setattr(search, "ROOT", tmp_path)
    monkeypatch.setattr(search, "PLAN", tmp_path / "plan.yaml")
    monkeypatch.setattr(search, "ROWS", tmp_path / "rows" / "rows.jsonl")
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(PLAN))
    (tmp_path / "candidates.yaml").write_text(yaml.safe_dump(CANDIDATES))
    return tmp_path


def _row(keys, value=0.5, **more):
    scores = dict.fromkeys(search.SHOWN, value)
    return keys | {"scores": scores, "macs": 2e6, "cpu_s": 3.0} | more


@pytest.fixture
def trained(folder, monkeypatch):
    """Names, corpora and seeds of what is trained; no network is."""
    found = []

    def run_one(plan, keys):
        found.append(tuple(keys[key] for key in ("candidate", "corpus", "seed")))
        return _row(keys)

    monkeypatch.setattr(search, "run_one", run_one)
    return found


def test_stages_are_worked_off_in_order_and_nothing_twice(trained):
    search.run(None, "auto")
    assert trained == [
        ("one", "a_fixed", 0),
        ("one", "b_random", 0),
        ("two", "a_fixed", 0),
        ("one", "a_fixed", 1),
        ("two", "a_fixed", 1),
    ]
    search.run(None, "auto")
    assert len(trained) == 5


def test_a_search_without_time_trains_nothing(trained):
    search.run(0, "auto")
    assert trained == []


def test_a_changed_recipe_is_trained_again_and_no_other(trained, folder):
    search.run(None, "auto")
    trained.clear()
    changed = CANDIDATES | {"variants": CANDIDATES["variants"] | {"two": {"system": "gwrp"}}}
    (folder / "candidates.yaml").write_text(yaml.safe_dump(changed))
    search.run(None, "auto")
    assert trained == [("two", "a_fixed", 0), ("two", "a_fixed", 1)]


def test_another_precision_is_another_training(trained):
    search.run(None, "auto")
    search.run(None, "float32")
    assert len(trained) == 10


def test_a_candidate_that_the_file_lacks_is_named(folder):
    stages = [{"candidates": ["three"], "corpora": ["a_fixed"], "snr_db": [0], "seeds": [0]}]
    (folder / "plan.yaml").write_text(yaml.safe_dump(PLAN | {"stages": stages}))
    with pytest.raises(SystemExit, match=r"candidates of candidates\.yaml, found 'three'"):
        search.next_training("auto")


def test_tables_have_the_mean_over_seeds_and_ratios_over_what_is_shared(folder, capsys):
    plan, rows = search.read_yaml(search.PLAN), []
    values = {("one", "a_fixed", 0): 0.4, ("one", "b_random", 0): 0.1, ("two", "a_fixed", 0): 0.6}
    values |= {("one", "a_fixed", 1): 0.6, ("two", "a_fixed", 1): 0.4}
    for keys in search.trainings(plan, "auto"):
        name = tuple(keys[key] for key in ("candidate", "corpus", "seed"))
        rows.append(_row(keys, values.pop(name))) if name in values else None
    rows.append(_row(rows[0] | {"recipe": "of long ago"}, 0.9))
    search.ROWS.parent.mkdir()
    search.ROWS.write_text("\n".join(map(json.dumps, rows)))
    search.table("one", "auto")
    printed = capsys.readouterr().out
    assert "a_fixed, 0 dB" in printed
    assert "| one | 2 | 0.500 ± 0.141 |" in printed
    assert "| one | 1 | 0.100 |" in printed
    # Over the two seeds that both were trained with: (0.6 + 0.4) / (0.4 + 0.6).
    assert "| two | a | 2 | 1.00 |" in printed
    assert "0.9" not in printed


def test_every_candidate_of_the_plan_is_a_recipe_that_passes_the_checks():
    plan = search.read_yaml(search.PLAN)
    keys = list(search.trainings(plan, "auto"))
    assert {entry["corpus"] for entry in keys} <= set(plan["corpora"])
    for corpus in plan["corpora"]:
        search.config_of(plan, corpus)  # raises an error otherwise
