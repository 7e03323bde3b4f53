"""Measure the cost of the first step of torch's Adam and of tfseg's, at the start of a job.

    python bench/optimiser_start.py [--runs 5]

Each run is a separate process, alternating between the two. Prints Markdown: the smallest CPU
seconds of the first step of each, and whether 31 steps of both give the same bits.
"""

import argparse
import subprocess
import sys
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[1] / "workflow_scripts"
STEPS = """
import hashlib
import resource
import sys

import torch

sys.path.insert(0, {library!r})
from tfseg.training.optimiser import Adam

torch.set_num_threads(1)
torch.manual_seed(0)
network = torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3), torch.nn.Flatten(), torch.nn.Linear(288, 4))
clips, tags = torch.randn(16, 1, 8, 8), torch.rand(16, 4).round()
optimiser = None


def backward():
    torch.nn.functional.binary_cross_entropy_with_logits(network(clips), tags).backward()


def step(rate):
    global optimiser
    if {ours}:
        optimiser = optimiser or Adam(network.parameters())
        optimiser.step(rate)
    else:
        optimiser = optimiser or torch.optim.Adam(network.parameters(), fused=True)
        optimiser.param_groups[0]["lr"] = rate
        optimiser.step()
        optimiser.zero_grad()


def cpu_s():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


backward()
before = cpu_s()
step(1e-3)
print(cpu_s() - before)
for iteration in range(30):
    backward()
    step(1e-3 * 0.9 ** (iteration // 5))
weights = b"".join(p.detach().numpy().tobytes() for p in network.parameters())
print(hashlib.sha256(weights).hexdigest())
"""


def first_step(ours):
    """Return the CPU seconds of the first step, and a digest of the weights after all steps."""
    code = STEPS.format(library=str(LIBRARY), ours=ours)
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    seconds, digest = result.stdout.split()
    return float(seconds), digest


def main(n_runs):
    """Print both ways."""
    runs = [(first_step(True), first_step(False)) for _ in range(n_runs)]
    (ours, plain) = (min(run[way][0] for run in runs) for way in (0, 1))
    same = len({digest for run in runs for _, digest in run}) == 1
    print("| tfseg's Adam | torch.optim.Adam(fused=True) | same bits |\n|---|---|---|")
    print(f"| {ours:.2f} CPU s | {plain:.2f} CPU s | {'yes' if same else 'no'} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="processes of each way")
    main(parser.parse_args().runs)
