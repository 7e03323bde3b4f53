"""Make .venv with exactly what requirements.lock names (`make setup`). Standard library only.

Does nothing when .venv already holds this lock file's packages. TORCH_INDEX_URL, when set, names
the package index that the torch build is taken from, e.g. one with CPU-only or CUDA builds.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "envs" / "requirements.lock"
VENV = ROOT / ".venv"
STAMP = VENV / "installed.txt"
OLDEST = (3, 11)

# Imports torch, and if its build brings CUDA libraries as packages of their own, names those missing.
_MISSING_LIBRARIES = """
import importlib.metadata as m
from packaging.requirements import Requirement
for line in m.requires("torch") or []:
    need = Requirement(line)
    if need.marker is None or need.marker.evaluate({"extra": ""}):
        try:
            m.version(need.name)
        except m.PackageNotFoundError:
            print(line.split(";")[0].strip())
"""


def fail(message):
    """End with a message and status 1."""
    sys.exit(f"setup: {message}")


def wanted_stamp():
    """What the stamp of a finished set-up says: lock file, Python and index of torch."""
    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    return f"{lock}\n{sys.version}\n{os.environ.get('TORCH_INDEX_URL', '')}\n{VENV}\n"


def pip(*arguments):
    """Run pip inside the environment."""
    command = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", *arguments]
    if subprocess.run(command).returncode:
        fail(
            f"pip failed: {' '.join(arguments)}\n"
            "Its message stands above. Run `make setup` again once the cause is gone."
        )


def main():
    """Check Python, make the environment, install the lock, complete torch."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        fail(
            f"expected Python {OLDEST[0]}.{OLDEST[1]} or newer, found {found} ({sys.executable}).\n"
            "Name a newer one: make setup PYTHON=python3.12"
        )
    if STAMP.exists() and STAMP.read_text(encoding="utf-8") == wanted_stamp():
        return
    print(f"setup: installing into {VENV} (about two minutes)", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        venv.create(VENV, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        fail(
            f"could not make {VENV}: {error}\n"
            "On Debian and Ubuntu the package python3-venv is needed: apt-get install python3-venv"
        )
    pins = [
        line for line in LOCK.read_text(encoding="utf-8").splitlines() if line[:1] not in ("", "#")
    ]
    torch_pin = next(pin for pin in pins if pin.startswith("torch=="))
    index = os.environ.get("TORCH_INDEX_URL")
    if index:
        # First torch alone from its index; the lock then finds it already there.
        pip("install", "--quiet", "--no-deps", "--index-url", index, torch_pin)
    pip("install", "--quiet", "--no-deps", "--requirement", str(LOCK))
    python = str(VENV / "bin" / "python")
    listed = subprocess.run(
        [python, "-c", _MISSING_LIBRARIES], check=True, capture_output=True, text=True
    ).stdout.split("\n")
    libraries = [line for line in listed if line]
    if libraries:
        print(
            f"setup: this torch is a CUDA build; installing its {len(libraries)} libraries",
            flush=True,
        )
        extra = ["--extra-index-url", index] if index else []
        pip("install", "--quiet", *extra, "--constraint", str(LOCK), *libraries)
    if subprocess.run(
        [python, "-W", "ignore", "-c", "import torch, sed_eval, tinysoundfont, snakemake"]
    ).returncode:
        fail("the installed packages cannot be imported; the message stands above")
    STAMP.write_text(wanted_stamp(), encoding="utf-8")
    print("setup: done", flush=True)


if __name__ == "__main__":
    main()
