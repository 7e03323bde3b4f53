"""Shared by all benchmarks: rows, alternating measurement of two ways, the machine's rates."""

import os
import platform
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from tfseg.io.files import write_json, write_text  # noqa: E402
from tfseg.job.hardware import keep_freed_memory  # noqa: E402
from tfseg.settings.recipes import merged  # noqa: E402

OUTPUT = ROOT / "results" / "bench"


@dataclass(frozen=True)
class Row:
    """One line of ``bench.json``.

    Attributes
    ----------
    name : str
    ours : float
        Cost with tfseg.
    baseline : float or None
        Cost of the straightforward way for the same work, in the same run.
    limit : float or None
        Lower bound on this machine: operations divided by its measured rate of matrix products, or
        bytes divided by its measured bandwidth.
    unit : str
    """

    name: str
    ours: float
    baseline: float | None = None
    limit: float | None = None
    unit: str = "s"

    @property
    def ratio(self):
        """Cost of the straightforward way divided by that of tfseg."""
        return None if self.baseline is None else self.baseline / self.ours


def read_config(overlays=()):
    """Merge overlays into config.yaml, as Snakemake does; without any, the paper's config."""
    # Here: a bare GPU node may lack what checks need.
    from tfseg.settings.checks import check_config

    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    for path in overlays:
        config = merged(config, yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    check_config(config)
    return config


def _synchronise():
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def timed(work, clock=time.perf_counter):
    """Return the seconds of `work()`, including its work on a GPU."""
    _synchronise()
    start = clock()
    work()
    _synchronise()
    return clock() - start


def alternate(ours, baseline, rounds, clock=time.perf_counter):
    """Return the median seconds of two ways, measured alternately: the machine's speed drifts.

    The straightforward way runs with the C library's default handling of memory. Call both once
    before, if a first call costs more.
    """
    seconds = [], []
    for _ in range(rounds):
        keep_freed_memory(False)
        seconds[1].append(timed(baseline, clock))
        keep_freed_memory()
        ours()  # not measured: it requests the memory that the comparison released
        seconds[0].append(timed(ours, clock))
    return tuple(statistics.median(values) for values in seconds)


def median_s(work, rounds, clock=time.perf_counter):
    """Return the median seconds of `work()`."""
    return statistics.median(timed(work, clock) for _ in range(rounds))


def ceilings(device="cpu", size=2048, n_bytes=1 << 28):
    """Measure rates: products of two matrices, and copies of a large block.

    Returns
    -------
    rates : dict of str to float
        ``float32`` and ``bfloat16`` in operations per second (a multiplication and an addition are
        two), ``bandwidth`` in bytes read and written per second.
    """
    rates = {}
    for name in ("float32", "bfloat16"):
        matrix = torch.randn(size, size, device=device).to(getattr(torch, name))
        torch.mm(matrix, matrix)
        best = min(timed(lambda m=matrix: torch.mm(m, m)) for _ in range(8))
        rates[name] = 2 * size**3 / best
    source = torch.ones(n_bytes // 4, device=device)
    target = torch.empty_like(source)
    target.copy_(source)
    rates["bandwidth"] = 2 * n_bytes / min(timed(lambda: target.copy_(source)) for _ in range(8))
    return rates


def _processor():
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def machine_facts(device, precision, rates):
    """Return the facts about the machine that the results depend on."""
    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "precision": precision,
        "float32_gflops": round(rates["float32"] / 1e9, 1),
        "bfloat16_gflops": round(rates["bfloat16"] / 1e9, 1),
        "bandwidth_gb_per_s": round(rates["bandwidth"] / 1e9, 1),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def _cell(value, digits=4):
    return "–" if value is None else f"{value:.{digits}g}"


def show(row):
    """Print a row."""
    print(
        f"{row.name:68s} {_cell(row.ours):>10} {_cell(row.baseline):>10} "
        f"{_cell(row.ratio, 3):>7} {_cell(row.limit):>10} {row.unit}",
        flush=True,
    )


def write(name, rows, machine):
    """Write ``results/bench/<name>.json`` and ``.md``."""
    entries = [asdict(row) | {"ratio": row.ratio, "machine": machine["device"]} for row in rows]
    write_json(OUTPUT / f"{name}.json", {"machine": machine, "rows": entries})
    lines = [
        f"| {row.name} | {_cell(row.ours)} {row.unit} | {_cell(row.baseline)} | "
        f"{_cell(row.ratio, 3)} | {_cell(row.limit)} |"
        for row in rows
    ]
    facts = ", ".join(f"{key} {value}" for key, value in machine.items())
    heading = "| what | ours | straightforward | ratio | limit |\n|---|---|---|---|---|\n"
    write_text(OUTPUT / f"{name}.md", f"{facts}\n\n{heading}" + "\n".join(lines) + "\n")
