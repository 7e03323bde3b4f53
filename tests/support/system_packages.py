"""Debian packages that a suite needs, as envs/system_packages.txt lists them."""

from pathlib import Path

LISTED = Path(__file__).parents[2] / "envs/system_packages.txt"


def install_command(suite):
    """Return the command that installs the packages of a suite."""
    lines = LISTED.read_text(encoding="utf-8").splitlines()
    packages = dict(line.split(": ") for line in lines if not line.startswith("#"))
    return f"apt-get update && apt-get install -y --no-install-recommends {packages[suite]}"
