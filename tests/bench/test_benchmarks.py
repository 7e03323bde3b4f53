"""The benchmarks run, and both ways give the same results; times are not tested."""

import json
import math

import equal_time
import growth
import harness
import pytest
import run
import step_overhead
from networks import FullNetwork, inference_rows, training_rows
from stages import scores_on_disk_row


@pytest.fixture(autouse=True)
def output(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "OUTPUT", tmp_path)
    return tmp_path


RATES = {"float32": 1e9, "bfloat16": 1e9, "bandwidth": 1e9}


@pytest.fixture
def network():
    """The benchmark's network in small."""
    return FullNetwork("cpu", "float32", 4, n_frames=20, widths=[4, 4], n_classes=5)


def test_both_ways_of_training_and_inference_run_and_are_written(output, network):
    rows = [
        *training_rows(network, RATES, rounds=1, compiled=False),
        *inference_rows(network, RATES, batch_size=3, rounds=1),
    ]
    harness.write("bench", rows, {"device": "this"})
    result = json.loads((output / "bench.json").read_text())
    names = [row["name"] for row in result["rows"]]
    for part in ("training step, GWRP", "GWRP with its gradient", "inference"):
        assert any(part in name for name in names), part
    assert {"name", "ours", "baseline", "ratio", "limit", "unit", "machine"} == set(
        result["rows"][0]
    )
    first = result["rows"][0]
    assert first["ratio"] == pytest.approx(first["baseline"] / first["ours"])
    assert "| what | ours |" in (output / "bench.md").read_text()


@pytest.mark.full
def test_stages_of_the_cpu_benchmark_run(tmp_path, monkeypatch):
    monkeypatch.setattr("stages.N_MIXTURES", 3)
    rows = {row.name: row for row in run.corpus_rows(tmp_path)}
    per_mixture = rows["stems and features of three SNRs, per mixture"]
    assert per_mixture.ours > 0
    assert rows["of these, stems"].ours > 0  # how much is for the benchmark to say
    disk = rows["stems and features on disk, 8000 mixtures x 3 SNRs"]
    assert disk.ours < 10  # GB
    assert disk.baseline == pytest.approx(124, rel=0.02)


def test_scores_of_the_grid_fit_their_budget():
    assert scores_on_disk_row(311, 41).ours == pytest.approx(4.31, abs=0.01)


def test_memory_of_counting_is_that_of_its_own_process():
    few, many = growth.memory_rows((8, 16), n_classes=3)
    assert 50 < few.ours < 1500
    assert many.ours < 1.2 * few.ours


@pytest.mark.full
def test_the_parts_of_an_iteration_add_up(capsys):
    step_overhead.main(["--batch", "4", "--rounds", "1", "--iterations", "3"])
    cells = capsys.readouterr().out.splitlines()[-1].split(" | ")
    iteration, kernels, overhead = map(float, cells[2:5])
    assert 0 < overhead < kernels
    assert iteration == pytest.approx(kernels + overhead, abs=0.02)


def test_two_ways_that_differ_are_noticed(monkeypatch, network):
    monkeypatch.setattr("plain_network.PlainNetwork.load", lambda self, network: self)
    with pytest.raises(SystemExit, match="two ways of training differ"):
        list(training_rows(network, RATES, rounds=1, compiled=False))


def test_iterations_that_cost_alike_are_in_proportion(monkeypatch, capsys, repository):
    costs = {"gwrp": 0.4, "unet": 0.1, "wldcnn_long": 0.8}
    monkeypatch.setattr(equal_time, "cost_of_iteration", lambda config, name, folder: costs[name])
    overlays = [
        str(repository / f"experiments/{name}.yaml") for name in ("mini", "compare", "compare_mini")
    ]
    monkeypatch.setattr("sys.argv", ["equal_time.py", "--configfile", *overlays])
    equal_time.main()
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    found = {row[0]: int(row[3]) for row in rows[1:]}
    assert found == {"gwrp": 300, "unet": 1200, "wldcnn_long": 150}


def test_an_iteration_of_each_kind_of_system_can_be_timed(monkeypatch, tmp_path, repository):
    monkeypatch.setattr(equal_time, "N_CLIPS", 16)
    monkeypatch.setattr(equal_time, "ITERATIONS", 2)
    overlays = [repository / f"experiments/{name}.yaml" for name in ("mini", "compare")]
    config = harness.read_config(overlays)
    for name in ("unet", "wldcnn_long"):
        assert math.isfinite(equal_time.cost_of_iteration(config, name, tmp_path))
