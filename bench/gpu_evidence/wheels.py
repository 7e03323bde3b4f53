r"""Download the packages that a GPU machine without a network lacks: under 20 MB to carry.

    python -m gpu_evidence.wheels FOLDER [--python 3.12]

and there, once, before ``make gpu-evidence``:

    pip install --no-index --no-deps --target SITE FOLDER/*.whl; export PYTHONPATH=SITE

Versions are those of envs/requirements.lock. Without these packages the parts with sounds fail, and
say which is missing.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Sound files, mel filters, the embedded corpus's player and its sound font, checks of tables.
PACKAGES = (
    "librosa",
    "decorator",
    "platformdirs",
    "pooch",
    "soundfile",
    "cffi",
    "pycparser",
    "soxr",
    "tinysoundfont",
    "pretty-midi",
    "jsonschema",
    "jsonschema-specifications",
    "referencing",
    "rpds-py",
)
_SOURCE_ONLY = ("pretty-midi",)  # plain Python, published as source alone
_PLATFORMS = (
    "manylinux_2_28",
    "manylinux_2_27",
    "manylinux_2_24",
    "manylinux_2_17",
    "manylinux2014",
)


def locked(lock):
    """Versions of the packages in a lock file, as ``name==version``.

    Raises
    ------
    ValueError
        When it does not hold one of them.
    """
    found = dict(re.findall(r"^([a-z0-9-]+)==([^\s\\;]+)", lock, flags=re.MULTILINE))
    if missing := [name for name in PACKAGES if name not in found]:
        raise ValueError(f"expected {', '.join(missing)} in the lock file, found no such line")
    return {name: f"{name}=={found[name]}" for name in PACKAGES}


def main():
    """Download or build one wheel for each package."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default="3.12", help="version of the GPU machine's Python")
    choice = parser.parse_args()
    wanted = locked((ROOT / "envs" / "requirements.lock").read_text(encoding="utf-8"))
    pip = [sys.executable, "-m", "pip"]
    of_source = [wanted.pop(name) for name in _SOURCE_ONLY]
    subprocess.run([*pip, "wheel", "-q", "--no-deps", "-w", choice.folder, *of_source], check=True)
    kind = ["--only-binary=:all:", "--implementation", "cp", "--python-version", choice.python]
    for platform in _PLATFORMS:
        kind += ["--platform", f"{platform}_x86_64"]
    command = [*pip, "download", "-q", "--no-deps", *kind, "-d", choice.folder, *wanted.values()]
    subprocess.run(command, check=True)
    n_bytes = sum(path.stat().st_size for path in choice.folder.glob("*.whl"))
    print(f"{choice.folder}: {len(PACKAGES)} packages, {n_bytes / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
