"""One of several trainings at once: says ``ready``, waits for a line, prints the seconds of a step."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import yaml

from gpu_evidence.setting import ROOT, Setting, Watch, synchronise


def main():
    """Train, and time the steps after the warm-up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("device")
    parser.add_argument("system")
    parser.add_argument("config", help="an experiment's name, or config (the paper's sizes)")
    parser.add_argument("--small", action="store_true")
    choice = parser.parse_args()
    overlay = {}
    if choice.config != "config":
        path = ROOT / "experiments" / f"{choice.config}.yaml"
        overlay = yaml.safe_load(path.read_text(encoding="utf-8"))
    setting = Setting(choice.device, choice.small, Path(), overlay)
    setting.prepare()
    sizes, marks, printed = setting.sizes, [], sys.stdout

    def ready(done):
        synchronise(setting.device)
        print("ready", file=printed, flush=True)
        sys.stdin.readline()
        marks.append((done, time.perf_counter()))

    def stop(done):
        synchronise(setting.device)
        marks.append((done, time.perf_counter()))

    watch = Watch([(sizes.warm_up, ready), (sizes.warm_up + sizes.steps, stop)])
    settings = setting.settings(
        choice.system, iterations=sizes.warm_up + sizes.steps, state_every=10**9
    )
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, "state.safetensors")
        data = setting.whole_batches(choice.system)
        setting.train(choice.system, data, settings, state, watch=watch)
    (first, first_s), (last, last_s) = marks
    print((last_s - first_s) / (last - first), flush=True)


if __name__ == "__main__":
    main()
