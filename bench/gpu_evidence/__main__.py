r"""Check and measure all that docs say of a GPU (`make gpu-evidence`).

    PYTHONPATH=bench:workflow_scripts python -m gpu_evidence [--minutes 25] [--only WORD ...]

needs torch, numpy, h5py, safetensors, scipy, pandas, scikit-learn, PyYAML, tqdm and threadpoolctl;
parts with sounds need the packages of ``gpu_evidence.wheels`` too. It needs no network, and no Snakemake.
Each part is written to ``results/gpu/parts/`` when it is done, and is not done again for the same
code and device. When the time is up the command ends with status 3: call it again to go on. Status
1 means that a check or a part failed; the others are done all the same.
"""

import argparse
import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import torch

from gpu_evidence import checks, timings, trainings
from gpu_evidence.parts import Evidence, Part, TimeIsUpError, device_facts
from gpu_evidence.setting import EMBEDDED, RECOMMENDED, ROOT, Setting
from gpu_evidence.tables import write_tables

MAIN = ("gwrp", RECOMMENDED)
FAILED, UNFINISHED = 1, 3


def planned(setting, embedded, evidence):
    """List all parts in the order in which they are done.

    Parameters
    ----------
    setting, embedded : gpu_evidence.setting.Setting
        The paper's experiment with random clips, and the embedded corpus's.
    evidence : Evidence
    """
    modes = timings.modes_of(setting)
    fast = modes[timings.FASTEST]
    parts = []

    def add(name, table, least_s, work, *arguments, **keywords):
        least_s = 0 if setting.small else least_s
        parts.append(Part(name, table, least_s, functools.partial(work, *arguments, **keywords)))

    def rates():
        return timings.rates_of(evidence.read(parts[0])["rows"])

    def step_rows(system, mode):
        done = [evidence.read(part) for part in parts if part.name == f"step-{system}-eager"]
        plain_ms = [row["straightforward ms"] for part in done if part for row in part["rows"]]
        plain_s = plain_ms[0] / 1e3 if plain_ms else None
        return timings.step_rows(setting, system, mode, modes[mode], rates(), plain_s)

    add("rates", "rates", 20, timings.ceiling_rows, setting)
    for system in setting.systems:
        add(f"check-{system}", "checks", 20, checks.network_checks, setting, system)
    add("check-poolings", "checks", 20, checks.pooling_checks, setting)
    add("check-counts", "checks", 20, checks.count_checks, setting)
    for system in MAIN:
        add(f"check-resume-{system}", "checks", 20, checks.resume_checks, setting, system)
        add(f"check-memory-{system}", "checks", 20, checks.memory_checks, setting, system)
        add(f"check-modes-{system}", "checks", 90, checks.mode_checks, setting, system, modes)
    for system in MAIN:
        for mode in modes:
            add(f"step-{system}-{mode}", "steps", 60, step_rows, system, mode)
        add(f"busy-{system}", "busy", 30, timings.busy_rows, setting, system, fast)
    add("inference", "inference", 40, lambda: timings.inference_rows(setting, MAIN[0], rates()))
    add("features", "corpus", 120, trainings.feature_rows, embedded)
    for fold in trainings.FOLDS:
        for system in trainings.SYSTEMS:
            arguments = (embedded, system, fold, fast, lambda: evidence.left_s - 20)
            add(
                f"training-{system}-fold{fold}",
                "trainings",
                45,
                trainings.training_rows,
                *arguments,
            )
    add("sound-checks", "checks", 20, checks.sound_checks, setting)
    add("sound-features", "sound", 30, timings.feature_rows, setting)
    add("sound-apply", "sound", 90, timings.apply_rows, setting)
    for config in ("mini",) if setting.small else ("mini", "config"):
        arguments = (setting, RECOMMENDED, config, lambda: evidence.left_s)
        add(f"at-once-{config}", "at_once", 100, timings.at_once_rows, *arguments)
    for mode in modes:
        for system in setting.systems:
            if system not in MAIN:
                add(f"step-{system}-{mode}", "steps", 60, step_rows, system, mode)
    return parts


def machine(setting):
    """Facts about device, driver and processor."""
    facts = device_facts(setting.device) | {
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
    }
    if setting.device == "cuda" and shutil.which("nvidia-smi"):
        command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        found = subprocess.run(command, check=True, capture_output=True, text=True)
        facts["driver"] = found.stdout.split()[0]
    return facts | {"precision": setting.precision}


def main(arguments=None):
    """Do all parts that are missing, write the tables; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument(
        "--sizes", default="paper", choices=["paper", "small"], help="small: a test"
    )
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORD", help="parts named so")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "gpu", metavar="FOLDER")
    choice = parser.parse_args(arguments)
    if choice.device == "cuda" and not torch.cuda.is_available():
        parser.error(
            f"expected a CUDA device, found none that torch {torch.__version__} can use. Install a "
            "build for this GPU (docs/how-to/gpu.md), or test with --device cpu --sizes small"
        )
    if choice.device == "cuda" and torch.cuda.device_count() > 1:
        parser.error(
            f"expected one GPU, since trainings at once share it, found {torch.cuda.device_count()}: "
            "set CUDA_VISIBLE_DEVICES=0"
        )
    small = choice.sizes == "small"
    setting = Setting(choice.device, small, choice.out, {})
    setting.prepare()
    evidence = Evidence(setting, 60 * choice.minutes)
    parts = planned(setting, setting.changed(EMBEDDED), evidence)
    wanted = [part for part in parts if any(word in part.name for word in choice.only)]
    if parts[0] not in wanted:
        wanted.insert(0, parts[0])  # its rates give the limits of the others
    try:
        for part in wanted:
            evidence.do(part)
    except TimeIsUpError as stopped:
        print(f"the time is up before {stopped}: call again to go on")
    results = {part.name: evidence.read(part) for part in parts}
    missing = [name for name, result in results.items() if result is None]
    done = [result for result in results.values() if result is not None]
    failed = write_tables(choice.out, done, machine(setting), missing)
    print(f"{choice.out}: {len(done)} parts done, {len(missing)} missing, {len(failed)} failed")
    left = [part.name for part in wanted if part.name in missing]
    return FAILED if failed else UNFINISHED if left else 0


if __name__ == "__main__":
    sys.exit(main())
