"""``tfseg review`` in a process of its own."""

import os
import re
import signal
import subprocess
import sys

from tfseg.run.digest import LIBRARY


def start(folder, arguments):
    """Start ``tfseg review`` with its page.

    Parameters
    ----------
    folder : Path
        To start it in; the review is in its folder ``out``.
    arguments : sequence of str
        But for ``--out``.

    Returns
    -------
    process : subprocess.Popen
    address : str
        Of the page, as it prints it.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tfseg.cli", "review", *arguments, "--out", "out", "--threads", "1"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(LIBRARY.parent), *sys.path])},
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # also where it is ignored
    )
    for line in process.stdout:
        if found := re.fullmatch(r"Open (http://\S+)\n", line):
            return process, found[1]
    raise AssertionError(f"tfseg review printed no address; exit status {process.wait()}")
