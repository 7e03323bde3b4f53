"""Make .venv with exactly the packages of requirements.lock (`make setup`). Standard library only.

With the argument ``slurm`` it makes .venv-slurm instead (`make setup-slurm`): Snakemake with the
executor plugins of slurm.lock. They slow down every call if no Slurm controller answers, so they
have their own environment. A path file adds the packages of .venv, so that torch is on the disk
only once.

Does nothing when the environment already holds these lock files' packages. TORCH_INDEX_URL, when
set, is the package index for torch, e.g. one with CPU-only or CUDA builds.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "envs" / "requirements.lock"
SLURM_LOCK = ROOT / "envs" / "slurm.lock"
VENV = ROOT / ".venv"
SLURM_VENV = ROOT / ".venv-slurm"
OLDEST = (3, 11)

# Has to be compiled, and only PSDS needs it: without a compiler, PSDS is left out.
COMPILED = "sed-scores-eval"

# Prints the CUDA libraries that torch's build needs as separate packages, and that are missing.
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


def stamp_of(environment):
    """Path of the file that records the content of a finished environment."""
    return environment / "installed.txt"


def wanted_stamp(environment, *locks):
    """Expected stamp of a finished set-up: lock files, Python, torch's index, location."""
    digests = "\n".join(hashlib.sha256(lock.read_bytes()).hexdigest() for lock in locks)
    index = os.environ.get("TORCH_INDEX_URL", "")
    return f"{digests}\n{sys.version}\n{index}\n{environment.resolve()}\n"


def is_finished(environment, *locks):
    """Whether the environment already has the packages of these lock files."""
    stamp = stamp_of(environment)
    return stamp.exists() and stamp.read_text(encoding="utf-8") == wanted_stamp(environment, *locks)


def pins_of(lock):
    """Return the lines of a lock file that name a package."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line[:1] not in ("", "#")]


def make_empty(environment):
    """Make an environment without packages; replace an existing one."""
    if environment.is_symlink():
        fail(
            f"{environment} is a link to {environment.resolve()}: expected there the packages of "
            "this lock file, found others. The target may be in use, so nothing is changed: run "
            "set-up in the folder that it belongs to, or remove the link."
        )
    shutil.rmtree(environment, ignore_errors=True)
    try:
        venv.create(environment, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        fail(
            f"could not make {environment}: {error}\n"
            "On Debian and Ubuntu the package python3-venv is needed: apt-get install python3-venv"
        )


def pip(environment, *calls):
    """Run pip inside an environment; calls with other packages each run at once."""
    python = str(environment / "bin" / "python")
    command = [python, "-m", "pip", "--disable-pip-version-check"]
    started = [subprocess.Popen([*command, *arguments]) for arguments in calls]
    failed = [call for call, process in zip(calls, started, strict=True) if process.wait()]
    for arguments in failed:
        fail(
            f"pip failed: {' '.join(arguments)}\n"
            "See its message above. Solve the problem and run `make setup` again."
        )


def start_compiling(environment):
    """Begin to write the byte code of all installed packages, one process per core; returns it."""
    packages = sysconfig.get_path("purelib", "venv", {"base": str(environment)})
    # Twice silent: some packages bring files of other Pythons, which cannot be compiled.
    command = [str(environment / "bin" / "python"), "-m", "compileall", "-qq", "-j", "0", packages]
    return subprocess.Popen(command)


def try_imports(environment, *modules):
    """End with a message if these modules cannot be imported."""
    python = str(environment / "bin" / "python")
    if subprocess.run([python, "-W", "ignore", "-c", f"import {', '.join(modules)}"]).returncode:
        fail("the installed packages cannot be imported; see the message above")


def compile_package():
    """Build the one package that exists only as source; if that fails, report it in a line."""
    pin = next(pin for pin in pins_of(LOCK) if pin.startswith(f"{COMPILED}=="))
    # It is built with the lock file's Cython and numpy.
    arguments = ["install", "--no-deps", "--no-build-isolation", pin]
    built = subprocess.run(
        [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    if built.returncode:
        log = VENV / f"{COMPILED}.log"
        log.write_text(built.stdout, encoding="utf-8")
        print(
            f"setup: {pin} could not be built (pip's messages: {log}), so PSDS is left out. It "
            "needs a C compiler and Python's headers (Debian: apt-get install gcc libc6-dev "
            f"python3-dev); then {VENV}/bin/pip {' '.join(arguments)}",
            flush=True,
        )


def has_command():
    """Whether .venv has the command `tfseg`; an image without the sources does not need it."""
    return (VENV / "bin" / "tfseg").exists() or not (ROOT / "pyproject.toml").exists()


def link_package():
    """Install the library into .venv in editable form: `import tfseg`, and the command `tfseg`.

    The lock file's setuptools builds it, so that nothing is downloaded.
    """
    pip(VENV, ["install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])


def install():
    """Make .venv: install the lock, complete torch, link the library."""
    print(f"setup: installing into {VENV} (about two minutes)", flush=True)
    make_empty(VENV)
    index = os.environ.get("TORCH_INDEX_URL")
    pins = [pin for pin in pins_of(LOCK) if not pin.startswith(f"{COMPILED}==")]
    torch = [pin for pin in pins if pin.startswith("torch==")]
    wheels = VENV / "wheels.txt"
    wheels.write_text("\n".join(pin for pin in pins if pin not in torch) + "\n", encoding="utf-8")
    # torch is half of all bytes. pip writes byte code on one core: that comes afterwards.
    options = ["install", "--quiet", "--no-deps", "--no-compile"]
    pip(
        VENV,
        [*options, *(["--index-url", index] if index else []), *torch],
        [*options, "--requirement", str(wheels)],
    )
    compiling = start_compiling(VENV)
    compile_package()
    listed = subprocess.run(
        [str(VENV / "bin" / "python"), "-c", _MISSING_LIBRARIES],
        check=True, capture_output=True, text=True,
    ).stdout.split("\n")  # fmt: skip
    libraries = [line for line in listed if line]
    if libraries:
        print(
            f"setup: this torch is a CUDA build; installing its {len(libraries)} libraries",
            flush=True,
        )
        extra = ["--extra-index-url", index] if index else []
        pip(VENV, ["install", "--quiet", *extra, "--constraint", str(LOCK), *libraries])
    if not has_command():
        link_package()
    compiling.wait()
    try_imports(VENV, "torch", "sed_eval", "tinysoundfont", "snakemake")
    stamp_of(VENV).write_text(wanted_stamp(VENV, LOCK), encoding="utf-8")


def install_slurm():
    """Make .venv-slurm: the executor plugins and the snakemake command, over .venv's packages."""
    if not is_finished(VENV, LOCK):
        fail("expected a finished .venv, found none of this lock file: run `make setup` first")
    print(f"setup: installing into {SLURM_VENV}", flush=True)
    make_empty(SLURM_VENV)
    # Also Snakemake, for its command; before the path file, with which pip would find it installed.
    snakemake_pin = next(pin for pin in pins_of(LOCK) if pin.startswith("snakemake=="))
    pip(SLURM_VENV, ["install", "--quiet", "--no-deps", *pins_of(SLURM_LOCK), snakemake_pin])
    packages = {
        environment: sysconfig.get_path("purelib", "venv", {"base": str(environment)})
        for environment in (VENV, SLURM_VENV)
    }
    Path(packages[SLURM_VENV], "tfseg.pth").write_text(packages[VENV] + "\n", encoding="utf-8")
    try_imports(SLURM_VENV, "torch", "snakemake", "snakemake_executor_plugin_slurm")
    stamp_of(SLURM_VENV).write_text(wanted_stamp(SLURM_VENV, LOCK, SLURM_LOCK), encoding="utf-8")


def main(extra=None):
    """Check Python, then make the environment unless it is up to date.

    Parameters
    ----------
    extra : {None, "slurm"}
    """
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        fail(
            f"expected Python {OLDEST[0]}.{OLDEST[1]} or newer, found {found} ({sys.executable}).\n"
            "Name a newer one: make setup PYTHON=python3.12"
        )
    if extra == "slurm":
        finished, make = is_finished(SLURM_VENV, LOCK, SLURM_LOCK), install_slurm
    else:
        finished, make = is_finished(VENV, LOCK), install
    if not finished:
        make()
        print("setup: done", flush=True)
    elif not VENV.is_symlink() and not has_command():  # made before there was a command
        link_package()


if __name__ == "__main__":
    main(*sys.argv[1:])
