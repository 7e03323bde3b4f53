"""Virtual environments for tests with some of this one's packages, without downloads."""

import os
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def run(*command, folder, status=0):
    """Run a command without this process's environment variables for Python."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST"))}
    result = subprocess.run(
        [*map(str, command)], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert result.returncode == status, result.stdout + result.stderr
    return result


def pip(*arguments, folder):
    """Run pip without a network."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    return run(*command, *arguments, folder=folder)


def closure(requirements, extras=()):
    """Distributions of this environment that pip would bring for some requirements.

    Parameters
    ----------
    requirements : sequence of str
        As metadata and ``pyproject.toml`` spell them.
    extras : sequence of str
        Those that markers may ask for.

    Returns
    -------
    found : dict of str to importlib.metadata.Distribution
        By canonical name.
    """
    waiting = [(Requirement(line), extras) for line in requirements]
    found, seen = {}, set()
    while waiting:
        need, asked = waiting.pop()
        if need.marker and not any(need.marker.evaluate({"extra": e}) for e in ("", *asked)):
            continue
        key = (canonicalize_name(need.name), frozenset(need.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            found[key[0]] = distribution(key[0])
        except PackageNotFoundError:  # a library of CUDA, which another build of torch has
            continue
        waiting += [(Requirement(line), need.extras) for line in found[key[0]].requires or []]
    return found


class Environment:
    """A new virtual environment in which only some packages of this one are there.

    Parameters
    ----------
    folder : Path
    distributions : iterable of importlib.metadata.Distribution
        Their files are linked.
    """

    def __init__(self, folder, distributions):
        self.folder, self.bin = folder, folder / "bin"
        venv.create(folder, with_pip=False)
        packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
        for one in distributions:
            for name in {file.parts[0] for file in one.files} - {"..", "__pycache__"}:
                if not (packages / name).is_symlink():
                    (packages / name).symlink_to(one.locate_file(name))

    def install(self, *arguments):
        """Install the package alone, from a wheel or from its sources."""
        options = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation")
        pip("--python", self.bin / "python", "install", *options, *arguments, folder=self.folder)
