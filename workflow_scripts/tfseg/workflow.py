"""The one module that sees a snakemake object: logs, locks and errors of every rule's script."""

import contextlib
import fcntl
import hashlib
import sys
import traceback
from pathlib import Path

from tfseg import __version__
from tfseg.errors import TfsegError

_LOCK_DIR = Path(".snakemake") / "tfseg_locks"


class _Tee:
    """Writes to the console and to the rule's log; progress bars go to the console only."""

    def __init__(self, console, log):
        self._console, self._log = console, log

    def write(self, text):
        self._console.write(text)
        if not text.startswith("\r"):
            self._log.write(text)
            self._log.flush()
        return len(text)

    def flush(self):
        self._console.flush()

    def isatty(self):
        return self._console.isatty()

    def fileno(self):
        return self._console.fileno()


@contextlib.contextmanager
def _sole_writer(outputs, lock_dir):
    """Wait until no other process makes these outputs.

    A killed Snakemake leaves its running jobs behind. When the next run starts the same job, the
    left-over one may still be at work; the new one waits for it, so that nothing replaces a file
    after the job that made it has ended. The lock vanishes with its process, however that ends.
    """
    lock_dir.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256("\n".join(outputs).encode()).hexdigest()[:32]
    with (lock_dir / f"{name}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(
                f"waiting for a job of an earlier run that still makes {outputs[0]}",
                file=sys.stderr,
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run_script(main, smk, lock_dir=_LOCK_DIR):
    """Run a rule's script: everything it prints goes to the console and to the rule's log.

    Parameters
    ----------
    main : callable
        ``main(smk)`` does the work.
    smk : snakemake object
        Or anything with ``rule, wildcards, output, log``.
    lock_dir : Path
        Where the locks that keep left-over jobs apart lie.

    Raises
    ------
    SystemExit
        With status 1 after an error. A `TfsegError` prints its message alone, any other error
        its traceback.
    """
    log_path = Path(smk.log[0])
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with (
        log_path.open("w", encoding="utf-8") as log,
        contextlib.redirect_stdout(_Tee(sys.stdout, log)),
        contextlib.redirect_stderr(_Tee(sys.stderr, log)),
    ):
        log.write(f"tfseg {__version__}, rule {smk.rule}, {dict(smk.wildcards.items())}\n")
        try:
            with _sole_writer(list(map(str, smk.output)), lock_dir):
                main(smk)
        except TfsegError as error:
            print(f"error in rule {smk.rule}: {error}", file=sys.stderr)
            raise SystemExit(1) from None
        except Exception:
            traceback.print_exc()
            raise SystemExit(1) from None
