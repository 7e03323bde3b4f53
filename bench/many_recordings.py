"""Throughput and memory of `tfseg apply` on many generated recordings, or on a very long one.

    python bench/many_recordings.py MODEL --files 2000 --seconds 5 [--workers 2]
    python bench/many_recordings.py MODEL --files 1 --seconds 86400

MODEL is the folder of a model. Recordings are noise with tones, 32 kHz, mono, 16 bit. They are
written block by block, and neither pages nor separated sounds are made. `--again` applies the model
a second time to what is done.
"""

import argparse
import multiprocessing
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import soundfile
from harness import ROOT

RATE = 32000
_BLOCK_S = 60


def write_recording(path, n_seconds, seed):
    """Write noise with a tone in every other second, a minute at a time."""
    rng = np.random.default_rng(seed)
    with soundfile.SoundFile(str(path), "w", RATE, 1, subtype="PCM_16") as file:
        for start in range(0, n_seconds, _BLOCK_S):
            n_samples = RATE * min(_BLOCK_S, n_seconds - start)
            t = np.arange(n_samples, dtype=np.float32) / RATE
            sounding = np.floor(t) % 2 == seed % 2
            tone = 0.3 * np.sin(2 * np.pi * (300 + 200 * (seed % 9)) * t) * sounding
            file.write(tone + 0.02 * rng.standard_normal(n_samples, dtype=np.float32))


def memory_mib(field, process="self"):
    """Memory of a process: ``VmHWM`` the largest so far, ``VmRSS`` at this moment."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    found = [line for line in status.splitlines() if line.startswith(f"{field}:")]
    return int(found[0].split()[1]) / 1024 if found else 0.0


def _watch_workers(peaks, done):
    """Note the largest memory of each worker until `done` is set."""
    while not done.wait(0.2):
        for worker in multiprocessing.active_children():
            try:
                peaks[worker.pid] = max(peaks.get(worker.pid, 0), memory_mib("VmHWM", worker.pid))
            except FileNotFoundError:  # it has ended in the meantime
                continue


def measure(sounds, model, out, workers):
    """Run the command in this process and print a line on its cost."""
    from tfseg.cli.apply import main as apply

    words = [str(sounds), "--model", str(model), "--out", str(out), "--no-page", "--no-sounds"]
    words += ["--device", "cpu", *(["--workers", str(workers)] if workers else [])]
    peaks, done = {}, threading.Event()
    watcher = threading.Thread(target=_watch_workers, args=(peaks, done))
    watcher.start()
    started_s, started_cpu_s = time.perf_counter(), time.process_time()
    try:
        status = apply(words)
    finally:
        done.set()
        watcher.join()
    elapsed_s = time.perf_counter() - started_s
    cpu_s = time.process_time() - started_cpu_s
    line = f"status {status}, {elapsed_s:.1f} s, main process {cpu_s:.1f} CPU s and "
    line += f"{memory_mib('VmHWM'):.0f} MiB at most"
    if peaks:
        line += f", workers {', '.join(f'{peak:.0f}' for peak in peaks.values())} MiB at most"
    print(line, flush=True)


def main(arguments=None):
    """Generate, apply, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--files", type=int, required=True)
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        sounds = Path(folder) / "sounds"
        sounds.mkdir()
        for number in range(options.files):
            write_recording(sounds / f"{number:05d}.wav", options.seconds, number)
        for _ in range(1 + options.again):
            measure(sounds, options.model, Path(folder) / "out", options.workers)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "workflow_scripts"))
    main()
