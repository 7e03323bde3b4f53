"""Start Snakemake in this folder, also after a run that was killed.

    python envs/start.py [--progress] SNAKEMAKE'S ARGUMENTS

A killed Snakemake leaves a lock behind that names no process. This removes the lock when no
Snakemake of this folder is alive any more, and then becomes Snakemake with the same arguments.

With --progress the console shows one line that says how far the run is, and errors. What Snakemake
and the jobs print goes to results/<run>/logs/snakemake.log.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import yaml

LOGGER = Path(__file__).resolve().parent.parent / "profiles" / "logger"


def living_runs(folder):
    """Find process ids of other Snakemake processes that work in `folder` (Linux)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            here = (process / "cwd").resolve() == folder
        except (OSError, RuntimeError):  # it ended meanwhile, or belongs to somebody else
            continue
        names = [Path(os.fsdecode(argument)).name for argument in arguments[:4]]
        # With --mode it is no run, but a cluster's job of one: it holds no lock of the folder.
        is_run = "snakemake" in names and b"--mode" not in arguments
        if here and is_run and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


def run_of(arguments):
    """Name of the run that Snakemake's arguments describe: what names it last, counts."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    parser.add_argument("--config", "-C", nargs="+", default=[])
    given, _ = parser.parse_known_args(arguments)
    names = [
        (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("run")
        for path in map(Path, ["config.yaml", *given.configfile])
        if path.exists()  # else Snakemake says so
    ]
    names += [text.removeprefix("run=") for text in given.config if text.startswith("run=")]
    return [name for name in names if name][-1]


def with_progress(arguments):
    """Arguments of a Snakemake that shows one line; its plugin is put on the path."""
    log = Path("results", run_of(arguments), "logs", "snakemake.log")
    path = [str(LOGGER), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    return ["--logger", "progress", "--logger-progress-file", str(log), *arguments]


def main(arguments):
    """Clear a stale lock, then run ``python -m snakemake`` with `arguments`."""
    shows_progress = "--progress" in arguments
    arguments = [argument for argument in arguments if argument != "--progress"]
    folder = Path.cwd().resolve()
    locks = Path(".snakemake") / "locks"
    if locks.is_dir() and any(locks.iterdir()):
        alive = living_runs(folder)
        if alive:
            sys.exit(
                f"another Snakemake is running in {folder} (process {alive[0]}): expected none. "
                "Wait for it, or end it."
            )
        print("removing the lock that a killed run left behind", file=sys.stderr)
        subprocess.run(
            # --quiet last: it would take targets behind it for more of its own values.
            [sys.executable, "-m", "snakemake", *arguments, "--unlock", "--quiet", "all"],
            check=True,
        )
    if shows_progress:
        arguments = with_progress(arguments)
    os.execv(sys.executable, [sys.executable, "-m", "snakemake", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
