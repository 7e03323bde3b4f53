"""Measure what the stages cost at the paper's geometry (`make bench`); writes results/bench/.

Every figure is a median over repetitions in one process. Two ways of doing the same are measured
in turn and compared as a ratio, since the machine's speed drifts.
"""

import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
import torch
import yaml
from sklearn.metrics import average_precision_score, roc_auc_score

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from tfseg import features, mixing  # noqa: E402
from tfseg.corpora import embedded, tables  # noqa: E402
from tfseg.corpora.instruments import INSTRUMENTS  # noqa: E402
from tfseg.files import write_json, write_text  # noqa: E402
from tfseg.metrics.histogram import ScoreHistogram  # noqa: E402
from tfseg.models.systems import build_network  # noqa: E402

OUTPUT = ROOT / "results" / "bench"
N_MIXTURES = 24
BATCH = 4


def median_s(work, repetitions):
    """Median wall-clock of `work()`."""
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def bench_mixing(config, folder):
    """Seconds and bytes per mixture for stems and for the features of all SNRs."""
    classes = list(INSTRUMENTS)[:8]
    mixing_settings, snrs = config["mixing"], config["mixing"]["snr_db"]
    events, scenes, _ = embedded.render_corpus(
        folder / "audio",
        classes=classes,
        part="development",
        groups_per_class=4,
        takes_per_group=1,
        places_per_scene=2,
        takes_per_place=2,
        scene_duration_s=mixing_settings["duration_s"],
        n_folds=2,
        seed=0,
    )
    mixtures, mixture_events = mixing.plan_mixtures(
        events,
        scenes,
        folds=[1],
        mixtures_per_fold=N_MIXTURES,
        duration_s=mixing_settings["duration_s"],
        onsets_s=mixing_settings["onsets_s"],
        max_event_s=mixing_settings["max_event_s"],
        seed=0,
    )
    settings = features.FeatureSettings(**config["features"])
    stems_path = folder / "stems.h5"

    def render():
        with h5py.File(stems_path, "w") as file:
            mixing.render_stems(
                file,
                mixtures,
                mixture_events,
                events,
                classes=classes,
                sample_rate=settings.sample_rate,
                resampler=mixing_settings["resampler"],
                max_event_s=mixing_settings["max_event_s"],
                snr_db=snrs,
                snr_on=mixing_settings["snr_on"],
            )

    def extract():
        by_snr = features.extract_features(
            mixing.StemReader(stems_path),
            settings,
            tables.mixture_labels(mixture_events),
            classes=classes,
            snr_db=snrs,
        )
        for snr, values in by_snr.items():
            path = folder / f"features{snr}.h5"
            features.write_features(path, values, classes=classes, settings=settings, snr_db=snr)

    render(), extract()  # warm up: imports and file caches
    n_bytes = stems_path.stat().st_size + sum(p.stat().st_size for p in folder.glob("features*.h5"))
    yield "stems, per mixture", median_s(render, 3) / N_MIXTURES, "s"
    yield "features of three SNRs, per mixture", median_s(extract, 3) / N_MIXTURES, "s"
    yield "stems and features on disk, per mixture", n_bytes / N_MIXTURES / 1e6, "MB"


def bench_network(config):
    """Seconds per clip of the full network: a training step with GWRP, and inference."""
    n_classes, settings = len(config["corpus"]["classes"]), config["features"]
    n_frames = features.FeatureSettings(**settings).grid.n_frames(320000)
    network = build_network(
        "gwrp",
        n_classes=n_classes,
        n_mels=settings["n_mels"],
        trunk_settings=config["trunk"],
        pooling_settings=config["pooling"],
    ).to(memory_format=torch.channels_last)
    inputs = torch.randn(BATCH, n_frames, settings["n_mels"])
    target = torch.zeros(BATCH, n_classes)
    optimiser = torch.optim.Adam(network.parameters())

    def step():
        loss = torch.nn.functional.binary_cross_entropy(network(inputs)[0], target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    def infer():
        with torch.inference_mode():
            network(inputs)

    step()
    yield "training step, full network, per clip", median_s(step, 3) / BATCH, "s"
    network.eval()
    yield "inference, full network, per clip", median_s(infer, 3) / BATCH, "s"


def bench_scores():
    """AUC and AP of mask-like scores: exact counts against scikit-learn on the same array."""
    rng = np.random.default_rng(0)
    scores = (rng.random((2_000_000, 1)) ** 8).astype(np.float16)
    positive = rng.random(scores.shape) < scores.astype(np.float32)
    histogram = ScoreHistogram.of(scores, positive)
    if not np.isclose(histogram.auc()[0], roc_auc_score(positive, scores), rtol=1e-9):
        raise SystemExit("bench: the two ways disagree on the AUC")
    ours, library = [], []
    for _ in range(3):
        start = time.perf_counter()
        histogram = ScoreHistogram.of(scores, positive)
        histogram.auc(), histogram.average_precision()
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        roc_auc_score(positive, scores), average_precision_score(positive, scores)
        library.append(time.perf_counter() - start)
    yield "AUC and AP of 2 million units, counts", statistics.median(ours), "s"
    yield "AUC and AP of 2 million units, scikit-learn", statistics.median(library), "s"
    yield "ratio counts : scikit-learn", statistics.median(ours) / statistics.median(library), ""


def main():
    """Run all, print a table, write it as JSON and Markdown."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    machine = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for stage in (bench_mixing(config, Path(folder)), bench_network(config), bench_scores()):
            for name, value, unit in stage:
                rows.append({"name": name, "value": value, "unit": unit})
                print(f"{name:50s} {value:10.4f} {unit}", flush=True)
    write_json(OUTPUT / "bench.json", {"machine": machine, "rows": rows})
    lines = [f"| {row['name']} | {row['value']:.4g} {row['unit']} |" for row in rows]
    write_text(
        OUTPUT / "bench.md",
        f"Machine: {json.dumps(machine)}\n\n| what | median |\n|---|---|\n"
        + "\n".join(lines)
        + "\n",
    )


if __name__ == "__main__":
    main()
