"""The one module that sees a snakemake object: logs, locks, checksums and errors of every script."""

import contextlib
import fcntl
import hashlib
import sys
import traceback
from pathlib import Path

from tfseg import __version__
from tfseg.errors import DamagedFileError, TfsegError
from tfseg.io.files import content_sha256, write_text

# Texts hold no checksum of their own; HDF5 and safetensors files do.
_TEXTS = {".csv", ".json", ".tsv"}
_LOCK_DIR = Path(".snakemake") / "tfseg"


def _write(log, text):
    """Write to the log; where its disk is full, the console still has it all."""
    with contextlib.suppress(OSError):
        log.write(text.encode(errors="backslashreplace"))


class _Tee:
    """Writes to the console and to the rule's log; progress bars go to the console only."""

    def __init__(self, console, log):
        self._console, self._log = console, log

    def write(self, text):
        # A console of an older encoding must not end a job over a clip's name.
        encoding = getattr(self._console, "encoding", None) or "utf-8"
        self._console.write(text.encode(encoding, "backslashreplace").decode(encoding))
        if not text.startswith("\r"):
            _write(self._log, text)
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


def _checksums(paths, folder):
    """Where the checksum of each text among these files lies: path to path."""
    return {
        path: folder / f"{hashlib.sha256(path.encode()).hexdigest()[:32]}.sha256"
        for path in map(str, paths)
        if Path(path).suffix in _TEXTS
    }


def _check_text_files(paths, folder):
    """Refuse a table or description that is not as the job that made it has left it."""
    for path, record in _checksums(paths, folder).items():
        if not (record.exists() and Path(path).exists()):
            continue
        expected, found = record.read_text().split()[0], content_sha256(path)
        if found != expected:
            raise DamagedFileError(
                f"{path}: expected it as its job wrote it (sha256 {expected[:12]}...), found "
                f"another content ({found[:12]}...). Delete the file and run again: only what "
                "depends on it is made anew."
            )


def _record_text_files(paths, folder):
    """Keep the checksums of the tables and descriptions of a finished job, as sha256sum does."""
    for path, record in _checksums(paths, folder).items():
        if Path(path).exists():  # Snakemake says which outputs are missing
            write_text(record, f"{content_sha256(path)}  {path}\n")


def run_script(main, smk, lock_dir=_LOCK_DIR):
    """Run a rule's script: everything it prints goes to the console and to the rule's log.

    Parameters
    ----------
    main : callable
        ``main(smk)`` does the work.
    smk : snakemake object
        Or anything with ``rule, wildcards, input, output, log``.
    lock_dir : Path
        Where the locks that keep left-over jobs apart lie, and the checksums of texts.

    Raises
    ------
    SystemExit
        With status 1 after an error. A `TfsegError` prints its message alone, any other error
        its traceback.
    """
    log_path = Path(smk.log[0])
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with (
        log_path.open("wb", buffering=0) as log,
        contextlib.redirect_stdout(_Tee(sys.stdout, log)),
        contextlib.redirect_stderr(_Tee(sys.stderr, log)),
    ):
        _write(log, f"tfseg {__version__}, rule {smk.rule}, {dict(smk.wildcards.items())}\n")
        try:
            with _sole_writer(list(map(str, smk.output)), lock_dir):
                for record in _checksums(smk.output, lock_dir).values():
                    record.unlink(missing_ok=True)
                _check_text_files(smk.input, lock_dir)
                main(smk)
                _record_text_files(smk.output, lock_dir)
        except TfsegError as error:
            print(f"error in rule {smk.rule}: {error}", file=sys.stderr)
            raise SystemExit(1) from None
        except Exception:
            traceback.print_exc()
            raise SystemExit(1) from None
