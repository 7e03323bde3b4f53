"""Resolve requirements.in into requirements.lock and environment.yaml, and slurm.in into slurm.lock.

`make lock` runs it. pip's own resolver is used, without installing anything. There are three
exceptions. tinysoundfont requires pyaudio, which needs a compiler and is only for playback.
sed_scores_eval requires pathlib, which is part of Python; the package is of 2014. torch's CUDA
libraries belong to one build of it (envs/install.py installs them where needed).
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
LEFT_OUT = {"pyaudio", "pathlib"}
CUDA_LIBRARY = re.compile(r"^(nvidia-|cuda-|triton)")
WITHOUT_DEPENDENCIES = {"tinysoundfont"}  # its one dependency is pyaudio
CONDA_CHANNELS = ["conda-forge", "bioconda", "nodefaults"]
PYTHON = "3.11"


def normal(name):
    """Normalise a package's name as package indexes do."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lines_of(name):
    """Return the requirement lines of a file beside this one, without comments."""
    text = (HERE / name).read_text(encoding="utf-8")
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def resolve(requirements, *options):
    """Let pip resolve the versions for these requirement lines."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        listed = Path(folder) / "requirements.txt"
        listed.write_text("\n".join(requirements) + "\n", encoding="utf-8")
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed",
             "--report", str(report), "--requirement", str(listed), *options],
            check=True,
        )  # fmt: skip
        installs = json.loads(report.read_text(encoding="utf-8"))["install"]
    found = {}
    for item in installs:
        meta = item["metadata"]
        # A local part (2.13.0+cpu) names one build; the lock file is for all builds.
        found[normal(meta["name"])] = meta["version"].split("+")[0]
    return found


def lock_slurm():
    """Write slurm.lock: the packages of slurm.in that are not in requirements.lock."""
    locked = {normal(line.split("==")[0]) for line in lines_of("requirements.lock")}
    versions = resolve(lines_of("slurm.in"), "--constraint", str(HERE / "requirements.lock"))
    pins = [f"{name}=={v}" for name, v in sorted(versions.items()) if name not in locked]
    head = "# Made by `make lock` from slurm.in: what is not in requirements.lock, exact. Do not edit.\n"
    (HERE / "slurm.lock").write_text(head + "\n".join(pins) + "\n", encoding="utf-8")
    print(f"{len(pins)} packages locked for Slurm")


def main():
    """Write all three files."""
    lines = lines_of("requirements.in")
    as_it_stands = [
        line
        for line in lines
        if ";" in line or normal(re.split(r"[<>=!]", line)[0]) in WITHOUT_DEPENDENCIES
    ]
    versions = resolve([line for line in lines if line not in as_it_stands])
    for line in as_it_stands:
        name, version = line.split("==", 1)
        versions[normal(name)] = version
    versions = {
        name: version
        for name, version in sorted(versions.items())
        if name not in LEFT_OUT and not CUDA_LIBRARY.match(name)
    }
    head = "# Made by `make lock` from requirements.in: the whole closure, exact. Do not edit.\n"
    pins = [f"{name}=={version}" for name, version in versions.items()]
    (HERE / "requirements.lock").write_text(head + "\n".join(pins) + "\n", encoding="utf-8")
    indented = "\n".join(f"      - {pin}" for pin in pins if ";" not in pin)  # PYTHON is older
    channels = "\n".join(f"  - {channel}" for channel in CONDA_CHANNELS)
    (HERE / "environment.yaml").write_text(
        "# Made by `make lock` from requirements.in: the same versions for conda users. Do not edit.\n"
        "#   conda env create -f envs/environment.yaml && conda activate tfseg\n"
        "# and for the command `tfseg`: pip install --no-deps --no-build-isolation --editable .\n"
        f"name: tfseg\nchannels:\n{channels}\ndependencies:\n  - python={PYTHON}\n  - pip\n"
        "  - c-compiler\n  - pip:\n"  # sed_scores_eval has to be compiled
        f"      - --no-deps\n{indented}\n",
        encoding="utf-8",
    )
    print(f"{len(pins)} packages locked")
    lock_slurm()


if __name__ == "__main__":
    main()
