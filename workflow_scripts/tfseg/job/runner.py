"""Runs every rule's script: log, lock, checksums, errors. Only this module uses `snakemake`."""

import contextlib
import fcntl
import hashlib
import sys
import traceback
from pathlib import Path

from tfseg import __version__
from tfseg.errors import DamagedFileError, TfsegError
from tfseg.io.files import content_sha256, write_text
from tfseg.io.locks import try_lock

# Text files have no checksum inside; HDF5 and safetensors files do.
_TEXTS = {".csv", ".json", ".tsv"}
_LOCK_DIR = Path(".snakemake") / "tfseg"


def _write(log, text):
    """Write to the log; if its disk is full, continue, since the console shows everything."""
    with contextlib.suppress(OSError):
        log.write(text.encode(errors="backslashreplace"))


class _Tee:
    """Writes to the console and to the rule's log; progress bars go to the console only."""

    def __init__(self, console, log):
        self._console, self._log = console, log

    def write(self, text):
        # A character that the console cannot encode must not end a job.
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

    Jobs of a killed Snakemake continue to run. When the next run starts the same job, the old one
    may still be running. The new job waits for it, so that the old job cannot replace a finished
    file. The lock ends with its process, whether or not that fails.
    """
    lock_dir.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256("\n".join(outputs).encode()).hexdigest()[:32]
    with (lock_dir / f"{name}.lock").open("a") as lock:
        if not try_lock(lock):
            print(
                f"waiting for a job of an earlier run that still writes {outputs[0]}",
                file=sys.stderr,
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _checksums(paths, folder):
    """Map each text file among these paths to the path of its checksum."""
    return {
        path: folder / f"{hashlib.sha256(path.encode()).hexdigest()[:32]}.sha256"
        for path in map(str, paths)
        if Path(path).suffix in _TEXTS
    }


def _check_text_files(paths, folder):
    """Raise an error for a table or description that was changed after its job wrote it."""
    for path, record in _checksums(paths, folder).items():
        if not (record.exists() and Path(path).exists()):
            continue
        expected, found = record.read_text().split()[0], content_sha256(path)
        if found != expected:
            raise DamagedFileError(
                f"{path}: expected the content that its job wrote (sha256 {expected[:12]}...), "
                f"found another ({found[:12]}...). Delete the file and run again: only what "
                "depends on it is made anew."
            )


def _record_text_files(paths, folder):
    """Store the checksums of a finished job's tables and descriptions, as sha256sum does."""
    for path, record in _checksums(paths, folder).items():
        if Path(path).exists():  # Snakemake reports missing outputs
            write_text(record, f"{content_sha256(path)}  {path}\n")


def run_script(main, smk, lock_dir=_LOCK_DIR):
    """Run a rule's script; all that it prints goes to the console and to the rule's log.

    Parameters
    ----------
    main : callable
        ``main(smk)`` does the work.
    smk : snakemake object
        Or any object with ``rule, wildcards, input, output, log``.
    lock_dir : Path
        Folder of the locks against left-over jobs, and of the checksums of text files.

    Raises
    ------
    SystemExit
        With status 1 after an error. For a `TfsegError` only the message is printed, for any other
        error the traceback.
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
