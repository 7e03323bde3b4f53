"""Measure what an iteration of a training costs beside its kernels.

    python bench/step_overhead.py [--other CLONE] [--system unet] [--batch 8 16] [--rounds 15]

Its kernels are all from the start of the network to the end of Adam (network, loss, gradients,
Adam), and the average of the weights. The rest is its overhead: drawing, gathering and changing the
batch, seeds, and the record of the loss. Both are read in the same iterations, in CPU seconds of one
thread, with the settings of experiments/mini.yaml on random clips. Another clone of the repository
is measured in turn with this one. Prints Markdown: medians over rounds, and ratios.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A worker measures rounds of one clone, whenever it is asked to.
_WORKER = """
import dataclasses, json, os, sys, tempfile, time
from pathlib import Path

root, system_name = sys.argv[1:3]
sys.path[:0] = [root + "/workflow_scripts", root + "/bench"]

import numpy as np
import torch
import train_model as job
from harness import read_config
from tfseg.features.feature_set import FeatureSet
from tfseg.job.hardware import choose_precision, keep_freed_memory
from tfseg.models.systems import network_of
from tfseg.settings.recipes import find_recipe
from tfseg.training import system
from tfseg.training.optimiser import Adam

N_CLIPS, N_FRAMES = 320, 77
torch.set_num_threads(1)
keep_freed_memory()
config = read_config([root + "/experiments/mini.yaml"])
recipe = find_recipe(config, system_name)
classes = config["corpus"]["classes"]
precision = choose_precision(config["precision"], "cpu", log=lambda text: None)
rng = np.random.default_rng(0)
data = FeatureSet(
    logmel=rng.normal(-8, 2, (N_CLIPS, N_FRAMES, config["features"]["n_mels"])).astype(np.float16),
    target=(rng.random((N_CLIPS, len(classes))) < 0.3).astype(np.uint8),
    mixture=[str(i) for i in range(N_CLIPS)],
    kind=["mixture"] * N_CLIPS,
    part=["train"] * N_CLIPS,
    mask_mixture=np.zeros(0, np.int64),
    mask_class=np.zeros(0, np.int64),
    mask_bits=np.zeros((0, 1), np.uint8),
    classes=tuple(classes),
    settings=config["features"],
)
description = {
    "network": recipe.network,
    "classes": classes,
    "features": config["features"],
    "trunk": recipe.trunk,
    "pooling": recipe.pooling,
    "baselines": config["baselines"],
}


class Clock:
    # A progress bar that reads the CPU clock at each iteration, and the parts of an iteration.
    def __call__(self, total, initial):
        self.times, self.kernels = [time.thread_time()], []
        return self

    def update(self):
        self.times.append(time.thread_time())

    def set_postfix(self, **_):
        pass

    def close(self):
        pass

    def begin(self, *_):
        self.begun = time.thread_time()

    def end(self):
        self.kernels.append(time.thread_time() - self.begun)


clock = Clock()
step, lerp = Adam.step, torch._foreach_lerp_


def timed_network(description):
    network = network_of(description)
    network.register_forward_pre_hook(clock.begin)
    return network


def timed_step(*arguments):
    step(*arguments)
    clock.end()


def timed_lerp(*arguments):
    started = time.thread_time()
    lerp(*arguments)
    clock.kernels[-1] += time.thread_time() - started


system.network_of, Adam.step, torch._foreach_lerp_ = timed_network, timed_step, timed_lerp


def measured(batch_size, n):
    # The last iteration saves the state and is left out.
    settings = dataclasses.replace(
        job.read_settings(recipe.training), batch_size=batch_size, iterations=n + 1, state_every=n + 1
    )
    with tempfile.TemporaryDirectory() as folder:
        system.train_system(
            description, data, settings, seed=0, precision=precision, data_sha256="",
            code_digest="", state_path=Path(folder, "state"), progress=clock,
        )
    return (clock.times[n] - clock.times[0]) / n, sum(clock.kernels[:n]) / n


answers, sys.stdout = sys.stdout, open(os.devnull, "w")  # logs of trainings
for line in sys.stdin:
    batch_size, n = json.loads(line)
    print(json.dumps(measured(batch_size, n)), file=answers, flush=True)
"""


class Worker:
    """A process that measures one clone.

    Parameters
    ----------
    root : Path
        Of the clone.
    system : str
    """

    def __init__(self, root, system):
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WORKER, str(root), system],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def measure(self, batch_size, n_iterations):
        """Return the seconds of an iteration, and of its kernels."""
        self._process.stdin.write(json.dumps([batch_size, n_iterations]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def end(self):
        """End the process."""
        self._process.stdin.close()
        self._process.wait()


def rows(roots, system, batch_sizes, n_rounds, n_iterations):
    """Yield for each batch size: medians of [iteration, kernels, overhead] in s for each clone."""
    workers = [Worker(root, system) for root in roots]
    for batch_size in batch_sizes:
        found = [[] for _ in workers]
        for number in range(n_rounds + 1):
            for worker, values in zip(workers, found, strict=True):
                iteration_s, kernels_s = worker.measure(batch_size, n_iterations)
                if number:  # the first round warms up
                    values.append((iteration_s, kernels_s, iteration_s - kernels_s))
        yield (
            batch_size,
            [[statistics.median(column) for column in zip(*v, strict=True)] for v in found],
        )
    for worker in workers:
        worker.end()


def main(arguments=None):
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--other", type=Path, help="another clone, measured in turn with this one")
    parser.add_argument("--system", default="unet")
    parser.add_argument("--batch", type=int, nargs="+", default=[8, 16])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--iterations", type=int, default=64, help="of a round")
    chosen = parser.parse_args(arguments)
    names = ["this clone"] + (["the other"] if chosen.other else [])
    roots = [ROOT] + ([chosen.other.resolve()] if chosen.other else [])
    print("| batch | clone | iteration, ms | kernels, ms | overhead, ms | of the other |")
    print("|---|---|---|---|---|---|")
    for batch_size, found in rows(
        roots, chosen.system, chosen.batch, chosen.rounds, chosen.iterations
    ):
        for name, values in zip(names, found, strict=True):
            share = f"{values[2] / found[-1][2]:.2f}" if chosen.other else "–"
            cells = " | ".join(f"{1000 * value:.2f}" for value in values)
            print(f"| {batch_size} | {name} | {cells} | {share} |", flush=True)


if __name__ == "__main__":
    main()
