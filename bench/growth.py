"""Growth of the cost: training and scoring at 1, 2 and 4 times the mixtures and the classes."""

import subprocess
import sys

import torch
from harness import ROOT, Row, timed
from networks import FullNetwork

from tfseg.inference.forward import MaskCounter, infer, prepare_for_inference
from tfseg.training.losses import cross_entropy
from tfseg.training.optimiser import Adam

FACTORS = (1, 2, 4)
# A smaller network on shorter clips shows the same growth, and takes a minute in all.
SMALL = {"n_frames": 78, "widths": [16, 32, 32, 32]}
N_CLIPS, N_CLASSES, BATCH = 64, 10, 16


def _one_pass(full):
    """Return a function that runs one pass of training steps over all clips."""
    network = full.ours().train()
    optimiser = Adam(network.parameters())

    def work():
        for start in range(0, full.n_clips, BATCH):
            tags, _ = network(full.inputs[start : start + BATCH].float())
            cross_entropy(tags, full.target[start : start + BATCH]).backward()
            optimiser.step(1e-3)

    return work


def _scoring(full):
    network = full.ours().eval()
    prepare_for_inference(network, full.precision)
    data = full.features()
    return lambda: infer(
        network, data, batch_size=BATCH, mask_thresholds=full.thresholds, device=full.device
    )


def growth_rows(device, precision):
    """Yield seconds at 1, 2 and 4 times the size, compared with linear growth from the first."""
    for stage, make in (("training, one pass", _one_pass), ("scoring", _scoring)):
        for what in ("mixtures", "classes"):
            works = []
            for factor in FACTORS:
                n_clips = N_CLIPS * (factor if what == "mixtures" else 1)
                n_classes = N_CLASSES * (factor if what == "classes" else 1)
                full = FullNetwork(device, precision, n_clips, n_classes=n_classes, **SMALL)
                works.append(make(full))
                works[-1]()
            # Alternating, and the best of three: the machine's speed drifts.
            rounds = [[timed(work) for work in works] for _ in range(3)]
            seconds = [min(column) for column in zip(*rounds, strict=True)]
            for factor, s in zip(FACTORS, seconds, strict=True):
                linear = None if factor == 1 else factor * seconds[0]
                yield Row(f"{stage}: {factor} x {what} (beside {factor} x the first)", s, linear)


def count_masks(n_mixtures, n_classes=41, n_frames=311, n_mels=64, batch=8):
    """Count the masks of `n_mixtures` mixtures of the paper's size, batch by batch."""
    counter = MaskCounter(n_classes, {"published": 0.1})
    generator = torch.Generator().manual_seed(0)
    masks = torch.rand((batch, n_classes, n_frames, n_mels), generator=generator) ** 8
    rows = torch.arange(3 * batch) % batch
    classes = torch.arange(3 * batch) % n_classes
    ideal = torch.rand((3 * batch, n_frames, n_mels), generator=generator) < 0.05
    for _ in range(n_mixtures // batch):
        counter.add(masks, ideal, rows, classes)
    histogram, _, _ = counter.result()
    histogram.auc(), histogram.average_precision()


def memory_rows(numbers=(24, 2000), n_classes=41):
    """Yield the peak memory of processes that count the masks of each number of mixtures."""
    for n_mixtures in numbers:
        code = (
            f"import sys; sys.path[:0] = [{str(ROOT / 'bench')!r}]; import growth, corpus; "
            f"growth.count_masks({n_mixtures}, n_classes={n_classes}); "
            "print(corpus.own_peak_memory_mib())"
        )
        result = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        )
        name = f"peak memory, mask scores of {n_mixtures} mixtures x {n_classes} classes"
        yield Row(name, float(result.stdout.split()[-1]), unit="MiB")
