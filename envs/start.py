"""Start Snakemake in this folder, also after a run that was killed.

A killed Snakemake leaves a lock behind that names no process. This removes the lock when no
Snakemake of this folder is alive any more, and then becomes Snakemake with the same arguments.
"""

import os
import subprocess
import sys
from pathlib import Path


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


def main(arguments):
    """Clear a stale lock, then run ``python -m snakemake`` with `arguments`."""
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
            [sys.executable, "-m", "snakemake", "--unlock", "--quiet", "all", *arguments],
            check=True,
        )
    os.execv(sys.executable, [sys.executable, "-m", "snakemake", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
