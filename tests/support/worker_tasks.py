"""Functions that processes of their own can import: for the tests of `tfseg.apply.workers`."""

import os
import signal
import time


def careful():
    """Prepare a function that does as each item says."""
    return do_as_told


def do_as_told(item):
    """Answer with the item; or sleep, fail or die, as it says."""
    if item == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if item == "fail":
        raise ValueError("told to")
    if item == "wait":
        time.sleep(0.3)
    return item, os.getpid()


def dead_the_first_time(path):
    """Die in the first process that comes here."""
    try:
        path.open("x").close()
    except FileExistsError:
        return do_as_told
    os._exit(3)


def dead_on_arrival():
    """Die before any item is taken."""
    os._exit(3)
