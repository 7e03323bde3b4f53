r"""Find numbers of iterations for a comparison of systems at equal training time.

    python bench/equal_time.py \
        --configfile experiments/esc50.yaml experiments/small.yaml experiments/compare.yaml

Trains every system of the experiment on random clips of its size for a few iterations, in turn,
with the experiment's recipes and threads. It prints each system's median cost of an iteration in
CPU seconds divided by threads, so that other work on a shared machine does not count. It also
prints the number of iterations that cost as much as the reference's. This is not part of the
workflow: write the numbers into the experiment once, so that no result depends on a timing.
"""

import argparse
import dataclasses
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from harness import read_config
from systems import build

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from tfseg.features.logmel import FeatureSettings  # noqa: E402
from tfseg.job.hardware import choose_precision, keep_freed_memory  # noqa: E402
from tfseg.settings.recipes import find_recipe  # noqa: E402
from tfseg.training.initial import initial_network  # noqa: E402
from tfseg.training.loop import train  # noqa: E402
from tfseg.training.settings import read_settings  # noqa: E402

N_CLIPS, WARM_UP, ITERATIONS = 200, 3, 12


def cost_of_iteration(config, name, folder):
    """Return the CPU seconds, divided by threads, of one training iteration of a system."""
    recipe = find_recipe(config, name)
    settings = read_settings(recipe.training)
    features = FeatureSettings(**config["features"])
    n_frames = features.grid.n_frames_in(config["mixing"]["duration_s"])
    if settings.excerpt_s:
        n_frames = features.grid.n_frames_in(settings.excerpt_s)
    rng = np.random.default_rng(0)
    n_classes = len(config["corpus"]["classes"])
    logmel = rng.normal(-8, 2, (N_CLIPS, n_frames, features.n_mels)).astype(np.float16)
    target = (rng.random((N_CLIPS, n_classes)) < 0.3).astype(np.uint8)

    def run(iterations):
        network = initial_network(
            lambda: build(name, config),
            0,
            logmel,
        )
        network.precision = choose_precision(config["precision"], "cpu", log=lambda text: None)
        wanted = np.hstack([target, np.ones((N_CLIPS, 1), np.uint8)])
        started = time.process_time()
        train(
            network,
            logmel,
            wanted if network.has_background else target,
            dataclasses.replace(settings, iterations=iterations, excerpt_s=None),
            seed=0,
            state_path=Path(folder, f"{name}.safetensors"),
            bound_to=str(time.perf_counter()),
            log=lambda text: None,
        )
        return (time.process_time() - started) / settings.threads

    return (run(WARM_UP + ITERATIONS) - run(WARM_UP)) / ITERATIONS


def main():
    """Print a line for each system."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configfile", nargs="+", required=True, metavar="FILE")
    parser.add_argument("--reference", help="default: the first of systems")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    config = read_config(arguments.configfile)
    reference = arguments.reference or config["systems"][0]
    names = list(dict.fromkeys([reference, *config["systems"]]))
    keep_freed_memory()
    costs = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(arguments.rounds):
            for name in names:
                costs[name].append(cost_of_iteration(config, name, folder))
    medians = {name: statistics.median(values) for name, values in costs.items()}
    wanted = find_recipe(config, reference).training["iterations"]
    print(
        f"{'system':<24} {'s/iteration':>12} {'of ' + reference:>12} {'iterations':>11} {'config has':>11}"
    )
    for name, cost in medians.items():
        share = statistics.median(
            one / other for one, other in zip(costs[name], costs[reference], strict=True)
        )
        has = find_recipe(config, name).training["iterations"]
        print(f"{name:<24} {cost:>12.4f} {share:>12.3f} {round(wanted / share):>11} {has:>11}")


if __name__ == "__main__":
    main()
