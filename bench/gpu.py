"""Measure training, inference and concurrent trainings on one GPU, at the paper's size.

    python bench/gpu.py

writes results/bench/gpu.json and gpu.md in the format of bench.json
(docs/explanation/performance.md describes the rows). ``--device cpu --small`` tests the same code
in a minute.
"""

import argparse
import subprocess
import sys

import torch
from harness import (
    ROOT,
    Row,
    ceilings,
    machine_facts,
    read_config,
    show,
    timed,
    write,
)
from networks import FullNetwork, inference_rows, training_rows

from tfseg.job.hardware import choose_precision

_SMALL = {"n_frames": 20, "widths": [4, 4], "n_classes": 5}
# A training of a small experiment, started several times; prints its seconds per step.
_WORKER = """
import sys; sys.path.insert(0, {bench!r})
import gpu
print(gpu.steps_s({device!r}, {precision!r}, {n_steps}, {small}))
"""


def steps_s(device, precision, n_steps, small):
    """Return the seconds of `n_steps` training steps of the miniature's network, batch 16."""
    scale = _SMALL if small else {"n_frames": 155, "widths": [16, 32, 32, 32], "n_classes": 6}
    full = FullNetwork(device, precision, 16, **scale)
    step = full.step(full.ours())
    step()
    return timed(lambda: [step() for _ in range(n_steps)])


def at_once_rows(device, precision, n_steps, small):
    """Yield rows for the steps of 1, 2 and 4 concurrent small trainings, compared with one."""
    code = _WORKER.format(
        bench=str(ROOT / "bench"), device=device, precision=precision, n_steps=n_steps, small=small
    )
    one = None
    for n_jobs in (1, 2, 4):
        jobs = [
            subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
            for _ in range(n_jobs)
        ]
        seconds = [float(job.communicate()[0].split()[-1]) for job in jobs]
        per_step = max(seconds) / (n_steps * n_jobs)
        one = one or per_step
        yield Row(f"small trainings at once: {n_jobs}, a step of any of them", per_step, one)


def gpu_rows(device, precision, rates, small):
    """Yield all rows."""
    training = read_config()["training"]
    scale, n_clips = (_SMALL, 4) if small else ({}, training["batch_size"])
    batch = FullNetwork(device, precision, n_clips, **scale)
    rounds = 2 if small else 20
    rows = list(training_rows(batch, rates, rounds, compiled=not small))
    yield from rows
    steps = training["iterations"]
    yield Row(
        f"training, {steps} iterations, from the step",
        steps * rows[0].ours,
        steps * rows[0].baseline,
    )
    operations = 3 * 2 * batch.macs * batch.n_clips
    yield Row("achieved in a training step", operations / rows[0].ours / 1e12, unit="TFLOP/s")
    yield Row("measured ceiling, matrix product", rates[precision] / 1e12, unit="TFLOP/s")
    yield Row("measured ceiling, bandwidth", rates["bandwidth"] / 1e9, unit="GB/s")
    few = FullNetwork(device, precision, 8 if small else 24, **scale)
    yield from inference_rows(few, rates, 24, rounds=1)
    fold = FullNetwork(device, precision, 16 if small else 2000, **scale)
    yield from inference_rows(fold, rates, 24, plain_too=False)
    yield from at_once_rows(device, precision, 5 if small else 500, small)


def main(arguments=None):
    """Run all, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--small", action="store_true", help="tiny sizes, for a test")
    choice = parser.parse_args(arguments)
    if choice.device == "cuda" and not torch.cuda.is_available():
        parser.error("no CUDA device is usable here")
    precision = choose_precision("auto", choice.device)
    rates = ceilings(choice.device, *((256, 1 << 20) if choice.small else (8192, 1 << 30)))
    rows = []
    for row in gpu_rows(choice.device, precision, rates, choice.small):
        show(row)
        rows.append(row)
    name = "gpu" if choice.device == "cuda" else "gpu_on_cpu"
    write(name, rows, machine_facts(choice.device, precision, rates))


if __name__ == "__main__":
    main()
