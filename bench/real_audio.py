"""Cost per mixture of stems and features from real recordings, and of the straightforward way.

    python bench/real_audio.py /path/to/esc10

takes a folder in ESC-50's layout and experiments/esc50.yaml, and writes
results/bench/real_audio.json and .md. Times are CPU seconds (user and system) of one process:
medians over alternating rounds. Memory is measured in separate processes.
"""

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# As Snakemake does for a job of one thread; must precede the import of numpy.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import h5py
import numpy as np
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "workflow_scripts"), str(ROOT / "bench")]

import straightforward  # noqa: E402
from corpus import own_peak_memory_mib, plan_one_fold  # noqa: E402

from tfseg.datasets import corpus_tables, esc50  # noqa: E402
from tfseg.features import logmel  # noqa: E402
from tfseg.io.files import write_json, write_text, writing_hdf5  # noqa: E402
from tfseg.mixing import remixing  # noqa: E402

OUTPUT = ROOT / "results" / "bench"
ROUNDS = 3


def merged_config():
    """Return config.yaml merged with experiments/esc50.yaml."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    overlay = yaml.safe_load((ROOT / "experiments/esc50.yaml").read_text(encoding="utf-8"))
    for key, value in overlay.items():
        config[key] = config[key] | value if isinstance(value, dict) else value
    return config


def prepare(folder, config, n_mixtures):
    """Prepare corpus and plan of one fold; also return the CPU seconds of the inspection."""
    corpus = config["corpus"]
    recordings = esc50.list_recordings(folder, classes=corpus["classes"], scenes=corpus["scenes"])
    return plan_one_fold(recordings, config, n_mixtures)


def ours(folder, config, events, plan):
    """Render stems and extract features as in the workflow's jobs; return CPU seconds of both."""
    settings = logmel.FeatureSettings(**config["features"])
    mixtures, mixture_events = plan
    snrs, keys = config["mixing"]["snr_db"], ("resampler", "max_event_s", "snr_db", "snr_on")
    start = time.process_time()
    with writing_hdf5(folder / "stems.h5") as file:
        remixing.render_stems(
            file,
            mixtures,
            mixture_events,
            events,
            classes=config["corpus"]["classes"],
            sample_rate=settings.sample_rate,
            **{key: config["mixing"][key] for key in keys},
        )
    stems_s = time.process_time() - start
    start = time.process_time()
    with contextlib.ExitStack() as stack:
        logmel.extract_features(
            [stack.enter_context(writing_hdf5(folder / f"features{snr}.h5")) for snr in snrs],
            remixing.StemReader(folder / "stems.h5"),
            settings,
            corpus_tables.mixture_labels(mixture_events),
            classes=config["corpus"]["classes"],
            snr_db=snrs,
        )
    return stems_s, time.process_time() - start


def plain(config, events, plan):
    """Run the straightforward way, SNR by SNR; return CPU seconds, and the log-mel of each SNR."""
    mixtures, mixture_events = plan
    ends = {(row.path, row.start_s): row.stop_s for row in events.itertuples()}
    logmel = {snr: [] for snr in config["mixing"]["snr_db"]}
    start = time.process_time()
    for snr in config["mixing"]["snr_db"]:
        for mixture in mixtures.itertuples():
            rows = mixture_events[mixture_events["mixture"] == mixture.mixture].itertuples()
            placed = [
                (row.event, row.event_start_s, ends[row.event, row.event_start_s], row.onset_s)
                for row in rows
            ]
            logmel[snr].append(
                straightforward.mixture_features(mixture.scene, placed, snr, config)[0]
            )
    return time.process_time() - start, logmel


def peak_memory_mb(data, n_mixtures):
    """Return the largest resident memory of a process that handles `n_mixtures` mixtures."""
    command = [sys.executable, __file__, str(data), "--memory", str(n_mixtures)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    """Measure, print a table, write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="a folder in ESC-50's layout")
    parser.add_argument("--mixtures", type=int, default=40, help="mixtures of a round")
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    config = merged_config()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        if arguments.memory:
            events, plan, _ = prepare(arguments.folder, config, arguments.memory)
            ours(folder, config, events, plan)
            print(own_peak_memory_mib())
            return
        n = arguments.mixtures
        events, plan, inspect_s = prepare(arguments.folder, config, n)
        few = tuple(table[table["mixture"] <= "fold1-00001"] for table in plan)
        ours(folder, config, events, few), plain(config, events, few)  # imports, file caches
        stems, extracts, plains = [], [], []
        for _ in range(ROUNDS):
            stems_s, extract_s = ours(folder, config, events, plan)
            plain_s, logmel = plain(config, events, plan)
            stems.append(stems_s / n)
            extracts.append(extract_s / n)
            plains.append(plain_s / n)
        n_bytes = sum(path.stat().st_size for path in folder.glob("*.h5"))
        differences = []
        for snr, clips in logmel.items():
            with h5py.File(folder / f"features{snr}.h5") as file:
                differences.append(np.median(np.abs(file["logmel"][:] - np.stack(clips))))
    total = statistics.median(stems) + statistics.median(extracts)
    rows = [
        ("look into a recording", inspect_s, "CPU s per file"),
        ("stems", statistics.median(stems), "CPU s per mixture"),
        ("features of three SNRs", statistics.median(extracts), "CPU s per mixture"),
        ("stems and features", total, "CPU s per mixture"),
        ("the plain way, three SNRs", statistics.median(plains), "CPU s per mixture"),
        ("ratio plain : ours", statistics.median(plains) / total, ""),
        ("median difference of the two log-mel", max(differences), ""),
        ("stems and features on disk", n_bytes / n / 1e6, "MB per mixture"),
        ("peak memory, 100 mixtures", peak_memory_mb(arguments.folder, 100), "MiB"),
        ("peak memory, 400 mixtures", peak_memory_mb(arguments.folder, 400), "MiB"),
    ]
    for name, value, unit in rows:
        print(f"{name:40s} {value:10.4g} {unit}")
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": sys.version[:6]}
    write_json(
        OUTPUT / "real_audio.json",
        {
            "machine": machine,
            "rows": [dict(zip(("name", "value", "unit"), r, strict=True)) for r in rows],
        },
    )
    lines = [f"| {name} | {value:.4g} {unit} |" for name, value, unit in rows]
    write_text(
        OUTPUT / "real_audio.md",
        f"Machine: {json.dumps(machine)}\n\n| what | value |\n|---|---|\n"
        + "\n".join(lines)
        + "\n",
    )


if __name__ == "__main__":
    main()
