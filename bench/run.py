"""Measure every stage at the paper's sizes, and the straightforward way (`make bench`).

Writes results/bench/bench.json and bench.md. Columns of a row: what, ours, the straightforward way,
their ratio, and a lower bound for this machine. A GPU is measured by `make gpu-evidence`.
"""

import os
import tempfile
from pathlib import Path

import torch
from growth import growth_rows, memory_rows
from harness import ceilings, machine_facts, show, write
from networks import FullNetwork, counting_rows, inference_rows, training_rows
from stages import corpus_rows, event_rows, scores_on_disk_row, separation_rows, start_rows

from tfseg.job.hardware import choose_precision

N_MIXTURES, BATCH, ROUNDS = 24, 8, 3


def cpu_rows(precision, rates, folder):
    """Yield all rows."""
    batch = FullNetwork("cpu", precision, BATCH)
    yield from training_rows(batch, rates, ROUNDS)
    fold = FullNetwork("cpu", precision, N_MIXTURES)
    yield from inference_rows(fold, rates, BATCH)
    yield from counting_rows(fold, rates, 2)
    yield from memory_rows()
    yield from corpus_rows(folder)
    yield scores_on_disk_row(fold.n_frames, fold.n_classes)
    yield from event_rows()
    yield from separation_rows()
    yield from start_rows()
    yield from growth_rows("cpu", precision)


def main():
    """Run all, print and write."""
    torch.set_num_threads(os.cpu_count())
    precision = choose_precision("auto", "cpu")
    rates = ceilings()
    machine = machine_facts("cpu", precision, rates)
    print(machine)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for row in cpu_rows(precision, rates, Path(folder)):
            show(row)
            rows.append(row)
    write("bench", rows, machine)


if __name__ == "__main__":
    main()
