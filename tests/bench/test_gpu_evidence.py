"""The GPU evidence runs in small on the CPU: tables, checks that can fail, resuming."""

import json
import math
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from gpu_evidence import __main__ as command
from gpu_evidence import checks, limits, timings, trainings
from gpu_evidence.parts import Evidence, Part, TimeIsUpError, check
from gpu_evidence.setting import Setting, Watch
from gpu_evidence.tables import score_rows, table, target_rows
from gpu_evidence.wheels import PACKAGES, locked
from torch import nn

from tfseg.evaluation.event_based import count_events, event_scores
from tfseg.inference import forward

SMALL = ["--device", "cpu", "--sizes", "small"]
# What a bare GPU machine may lack.
LACKING = """
import sys

class Lacking:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"snakemake", "pulp", "matplotlib", "sed_eval", "dcase_util", "pydantic"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Lacking())
"""


def run(out, *options):
    return command.main([*SMALL, "--out", str(out), *options])


@pytest.fixture
def small(tmp_path):
    return Setting("cpu", True, tmp_path, {})


@pytest.mark.full
def test_all_of_it_without_libraries_that_a_gpu_machine_lacks(repository, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(LACKING)
    path = os.pathsep.join(
        map(str, [tmp_path, repository / "bench", repository / "workflow_scripts"])
    )
    done = subprocess.run(
        [sys.executable, "-m", "gpu_evidence", *SMALL, "--out", str(tmp_path / "gpu")],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((tmp_path / "gpu" / "gpu.json").read_text())
    assert result["missing"] == result["failed"] == [] and result["errors"] == {}
    tables = result["tables"]
    assert {"name", "torch", "cores", "precision"} <= set(result["machine"])
    assert {row["system"] for row in tables["steps"]} == {"gwrp", "dnn", "unet"}
    assert {row["system"] for row in tables["busy"]} == {"gwrp", "unet"}
    assert len(tables["trainings"]) == len(trainings.SYSTEMS) * 2
    assert {row["system"] for row in tables["ratios"]} == set(trainings.SYSTEMS)
    assert all(row["passed"] for row in tables["checks"])
    for word in ("gradients", "counts of", "SIGTERM", "memory", "log-mel", "separated"):
        assert any(word in row["check"] for row in tables["checks"]), word
    texts = {path.stem: path.read_text() for path in (tmp_path / "gpu").glob("*.md")}
    assert set(texts) == set(tables)
    assert all(result["machine"]["torch"] in text for text in texts.values())
    assert texts["steps"].count("\n| ") == 2 + len(tables["steps"])


def test_a_part_is_done_once_and_a_failed_one_again(tmp_path, monkeypatch):
    only = ("--only", "check-counts")
    assert run(tmp_path, *only) == 0
    path = tmp_path / "parts" / "check-counts.json"
    before = path.stat().st_mtime_ns
    assert run(tmp_path, *only) == 0
    assert path.stat().st_mtime_ns == before

    def broken(setting):
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(checks, "pooling_checks", broken)
    both = ("--only", "check-poolings", "sound-features")
    assert run(tmp_path, *both) == command.FAILED
    result = json.loads((tmp_path / "gpu.json").read_text())
    assert result["errors"] == {"check-poolings": "RuntimeError: no such kernel"}
    assert "sound" in result["tables"]  # the others went on
    monkeypatch.undo()
    assert run(tmp_path, *both) == 0


@pytest.mark.parametrize("broken", ["counts", "gradients"])
def test_a_broken_kernel_fails_its_check(tmp_path, monkeypatch, broken):
    if broken == "counts":
        count = forward.count_on_device
        monkeypatch.setattr(forward, "count_on_device", lambda *given: count(*given).roll(1))
        name = "check-counts"
    else:
        to_device = nn.Module.to

        def moved(
            module, *given, memory_format=None, **rest
        ):  # only the device's network is moved so
            if memory_format is not None:
                for parameter in module.parameters():
                    parameter.register_hook(lambda gradient: 1.1 * gradient)
            return to_device(module, *given, **rest)

        monkeypatch.setattr(nn.Module, "to", moved)
        name = "check-gwrp"
    assert run(tmp_path, "--only", name) == command.FAILED
    result = json.loads((tmp_path / "gpu.json").read_text())
    assert result["failed"] == [name]
    failed = [row["check"] for row in result["tables"]["checks"] if not row["passed"]]
    assert failed and all(
        ("without a wait" if broken == "counts" else "gradients") in f for f in failed
    )
    assert "**NO**" in (tmp_path / "checks.md").read_text()


def test_what_is_not_a_number_keeps_no_limit():
    assert not check("loss", math.nan, 1)["passed"]
    assert not check("loss", math.nan, 1, at_least=True)["passed"]
    assert check("loss", 1, 1)["passed"] and not check("loss", 1.1, 1)["passed"]
    json.dumps(check("loss", math.inf, 1), allow_nan=False)


@pytest.mark.parametrize(("n_devices", "message"), [(0, "expected a CUDA device"), (2, "one GPU")])
def test_it_needs_one_gpu(tmp_path, monkeypatch, capsys, n_devices, message):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: n_devices > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n_devices)
    with pytest.raises(SystemExit) as stopped:
        command.main(["--out", str(tmp_path)])
    assert stopped.value.code == 2 and message in capsys.readouterr().err


def test_when_the_time_is_up_the_rest_is_left(tmp_path):
    assert run(tmp_path, "--minutes", "0", "--only", "check-counts") == command.UNFINISHED
    assert "check-counts" in json.loads((tmp_path / "gpu.json").read_text())["missing"]


def test_a_training_stops_when_the_time_is_up_and_goes_on(small, monkeypatch):
    monkeypatch.setattr(trainings, "_CHECKED_EVERY", 2)
    data = small.clips(9)
    monkeypatch.setattr(trainings, "_load", lambda setting, folds: data)
    monkeypatch.setattr(trainings, "score", lambda setting, network, data: {"tag mAP": 0.5})
    (small.work / "labels.json").write_text("{}")
    left_s = [1.0]

    def part():
        work = lambda: trainings.training_rows(small, "gwrp", 1, {}, lambda: left_s[0])  # noqa: E731
        return Part("training", "trainings", 0, work)

    expected = part().work()[0]
    for path in (small.work / "states").iterdir():
        path.unlink()
    left_s[0] = -1.0
    evidence = Evidence(small, 60, log=lambda text: None)
    with pytest.raises(TimeIsUpError, match=r"stopped at iteration [23];"):
        evidence.do(part())
    assert evidence.read(part()) is None
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    left_s[0] = 1.0
    evidence.do(part())
    (row,) = evidence.read(part())["rows"]
    assert row["last loss"] == expected["last loss"]


def test_a_layer_is_counted_by_hand():
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(1, 5, 3, padding=1, bias=False)

        def forward(self, logmel):
            return self.layer(logmel[:, None])

    layers = limits.layers_of(Network(), 4, 6)
    assert layers == [limits.Layer(macs=24 * 9 * 5, n_in=24, n_out=24 * 5)]
    limit = limits.step_limit(layers, 10, flop_per_s=1e3, bytes_per_s=1e30)
    assert limit.flop == 6 * 24 * 9 * 5 * 10
    assert limit.arithmetic_s == pytest.approx(limit.fused_s) == pytest.approx(limit.flop / 1e3)
    limit = limits.step_limit(layers, 10, flop_per_s=1e30, bytes_per_s=1e3)
    assert limit.bytes_fused == 2 * 10 * 24 * (3 * (1 + 5) + 8 * 5)
    assert limit.bytes_separate - limit.bytes_fused == 2 * 10 * 24 * 5 * 5
    assert limit.fused_s == pytest.approx(limit.bytes_fused / 1e3)


def test_event_f1_is_sed_evals():
    rng = np.random.default_rng(0)
    classes, names = ("Bark", "Chime", "Gong"), [f"m{i}" for i in range(30)]
    labels, found = {}, []
    for name in names:
        onsets = np.cumsum(rng.uniform(0.5, 2, 3))
        kinds = rng.permutation(2)[:2]  # no Gong
        labels[name] = [(classes[k], float(t), float(t) + 0.4) for k, t in zip(kinds, onsets)]  # noqa: B905
        for label, onset_s, offset_s in labels[name]:
            if rng.random() < 0.7:
                found.append((name, onset_s + rng.normal(0, 0.15), offset_s + 0.01, label))
    estimated = {name: [(e[3], *e[1:3]) for e in found if e[0] == name] for name in names}
    collars = {"collar_s": 0.2, "offset_fraction": 0.5}
    counts = count_events(labels, estimated, classes=classes, **collars)
    expected = event_scores(counts)[0]["f1"]
    values = trainings.event_f1(found, labels, names, classes, collars)
    np.testing.assert_allclose(values[:2], expected[:2], rtol=1e-12)
    assert np.isnan(values[2]) and 0.2 < values[0] < 0.9


def test_ratios_are_of_means_over_the_same_folds():
    rows = [
        {"system": "gwrp", "held-out fold": 1, "iterations": 6, "frame F1": 0.2},
        {"system": "gwrp", "held-out fold": 2, "iterations": 6, "frame F1": 0.4},
        {"system": "unet", "held-out fold": 1, "iterations": 6, "frame F1": 0.6},
        {"system": "unet", "held-out fold": 2, "iterations": 6, "frame F1": 0.6},
        {"system": "gap", "held-out fold": 1, "iterations": 6, "frame F1": 0.6},
    ]
    means, ratios = score_rows(rows)
    assert [row["frame F1"] for row in means] == pytest.approx([0.3, 0.6, 0.6])
    assert [row["system"] for row in ratios] == ["gwrp", "unet"]
    assert ratios[1]["frame F1"] == pytest.approx(2)


def test_targets_stand_beside_the_worst_that_was_found():
    step = {"system": "gwrp", "mode": "graph", "step ms": 6.5, "ratio": 2.9}
    trained = [{"system": "gwrp", "training s": seconds} for seconds in (80.0, 95.0)]
    other = {"system": "gwrp", "mode": "eager", "step ms": 12.0, "ratio": 1.5}
    rows = target_rows({"steps": [other, step], "busy": [], "trainings": trained})
    assert [(row["found"], row["met"]) for row in rows] == [
        (6.5, True),
        (2.9, False),
        (95.0, False),
    ]


def test_a_table_has_a_dash_where_a_row_has_no_value():
    assert table([{"a": 1, "b": 0.123456}, {"a": None, "c": True}]) == (
        "| a | b | c |\n| --- | --- | --- |\n| 1 | 0.1235 | – |\n| – | – | yes |\n"
    )


def test_packages_to_carry_are_in_the_lock_file(repository):
    lock = (repository / "envs" / "requirements.lock").read_text()
    assert set(locked(lock)) == set(PACKAGES)
    with pytest.raises(ValueError, match="soxr"):
        locked(lock.replace("soxr==", "sixr=="))


def test_actions_of_a_watch_come_once_and_in_order():
    seen = []
    watch = Watch([(2, seen.append), (5, seen.append)])(total=9, initial=1)
    for n in (1, 4, 1):
        watch.update(n)
    assert seen == [2, 6]


def test_a_step_is_timed_after_the_warm_up(small):
    rates = {"float32": 1e9, "bfloat16": 1e9, "bandwidth": 1e9}
    (row,) = timings.step_rows(small, "gwrp", "eager", {}, rates, None)
    assert row["ratio"] == pytest.approx(row["straightforward ms"] / row["step ms"])
    assert row["10 000 steps s"] == pytest.approx(10 * row["step ms"])
    assert row["step ms"] > 0 and row["counted limit ms"] > 0
    assert torch.backends.cudnn.benchmark is False  # put back
