"""Files that are written whole or not at all; an error on reading names the damaged file."""

import contextlib
import hashlib
import io
import json
import os
import tempfile
from pathlib import Path

import h5py
import numpy as np

from tfseg.errors import DamagedFileError, DataError, NotWrittenError


@contextlib.contextmanager
def whole_file(path):
    """Yield a temporary path beside `path` that replaces it when the block ends without error.

    The temporary name is unique to this process. So a job left over from a killed run and the job
    that replaces it never write to the same file.

    Parameters
    ----------
    path : path-like
        Path of the finished file. Its folder is created if it is missing.

    Yields
    ------
    temporary_path : str
        Write here. The suffix of `path` is kept, since some writers look at it.

    Raises
    ------
    NotWrittenError
        When the disk is full, or the folder cannot be written to.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary_path = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem[:40]}.", suffix=f".part{path.suffix}"
        )
        os.close(handle)
    except OSError as error:
        raise _not_written(path, error) from error
    try:
        yield temporary_path
        with open(temporary_path, "rb") as finished:
            os.fsync(finished.fileno())
        # mkstemp makes files private; results get the usual permissions.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary_path, 0o666 & ~umask)
        os.replace(temporary_path, path)
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary_path)
        # A failed write names no file; an error that names another file has another cause.
        if isinstance(error, OSError) and error.filename in (None, temporary_path):
            raise _not_written(path, error) from error
        raise


def _not_written(path, error):
    return NotWrittenError(
        f"{path}: could not be written: {error.strerror or error}. The previous file, if any, is "
        "unchanged. Solve the problem and run again."
    )


def write_text(path, text):
    """Write `text` (UTF-8, newlines as given) to `path`, whole or not at all."""
    with whole_file(path) as temporary_path:
        Path(temporary_path).write_bytes(text.encode("utf-8"))


def write_json(path, value):
    """Write `value` as indented JSON with sorted keys, so that equal values give equal bytes."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")


def write_csv(path, frame, separator=","):
    """Write a data frame without its index, whole or not at all."""
    with whole_file(path) as temporary_path:
        frame.to_csv(temporary_path, index=False, sep=separator, lineterminator="\n")


def read_json(path):
    """Read a JSON file; a damaged one raises `DamagedFileError` that names it."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: expected a JSON file, found nothing there") from None
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(
            f"{path}: expected JSON, found something else ({error}). Delete the file and run again."
        ) from None


def append_line(path, text):
    """Add one line to a log that several jobs write to.

    Parameters
    ----------
    path : path-like
    text : str
        Without line end, and at most 4096 bytes, which a file system writes at once.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab", buffering=0) as stream:
        stream.write(f"{text}\n".encode())


def create_description(group, value):
    """Store plain values as JSON in a dataset with a checksum (HDF5 attributes have none)."""
    text = json.dumps(value, sort_keys=True, allow_nan=False).encode()
    return create_dataset(group, "description", data=np.frombuffer(text, dtype=np.uint8))


def read_description(group):
    """Read the values that `create_description` stored."""
    return json.loads(group["description"][:].tobytes())


def content_sha256(path):
    """Hash the content of a file, as ``sha256sum`` does: 64 hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_sha256(paths):
    """Hash the contents of one or several files, in the order given."""
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    digest = hashlib.sha256()
    for path in paths:
        digest.update(bytes.fromhex(content_sha256(path)))
    return digest.hexdigest()


class _Sink(io.FileIO):
    """Target of an HDF5 file that records the first write error and continues.

    If a write fails, HDF5 ends the process with a segmentation fault when it closes the file.
    """

    def __init__(self, path):
        super().__init__(path, "r+")
        self.error = None

    def write(self, content):
        content = memoryview(content)
        done = 0
        while self.error is None and done < len(content):
            try:
                done += super().write(content[done:])
            except OSError as error:
                self.error = error
        return len(content)


@contextlib.contextmanager
def writing_hdf5(path):
    """Open a new HDF5 file that appears at `path` whole or not at all.

    The newest file layout is used, because its headers and attributes carry checksums.

    Raises
    ------
    NotWrittenError
        When the disk is full, or the folder cannot be written to.
    """
    with whole_file(path) as temporary_path, _Sink(temporary_path) as sink:
        try:
            with h5py.File(sink, "w", libver="latest") as file:
                yield file
        finally:
            if sink.error is not None:
                raise sink.error


def create_dataset(group, name, data=None, *, shape=None, dtype=None, chunks=True, maxshape=None):
    """Create an HDF5 dataset with a fletcher32 checksum, so that damage is noticed on reading."""
    values = None if data is None else np.asarray(data)
    size = int(np.prod(shape)) if values is None else values.size
    if size == 0 and maxshape is None:  # an empty dataset cannot be chunked
        return group.create_dataset(name, data=values, shape=shape, dtype=dtype)
    return group.create_dataset(
        name,
        data=values,
        shape=shape,
        dtype=dtype,
        chunks=chunks,
        maxshape=maxshape,
        fletcher32=True,
    )


def append_rows(dataset, rows):
    """Add rows at the end of a dataset that may grow (``maxshape=(None, ...)``)."""
    start = len(dataset)
    dataset.resize(start + len(rows), axis=0)
    dataset[start:] = rows


def _check_own(file):
    """Refuse links and data in other files, which tfseg does not write."""
    for name in file:
        is_own = isinstance(file.get(name, getlink=True), h5py.HardLink)
        if not is_own or getattr(file[name], "external", None):
            raise ValueError(f"{name} lies in another file")


@contextlib.contextmanager
def reading_hdf5(path):
    """Open an HDF5 file for reading; raise one clear error for any damage.

    Raises
    ------
    DamagedFileError
        When the file cannot be opened, a dataset is missing, or a checksum is wrong.
    """
    if not os.path.exists(path):
        raise DataError(f"{path}: expected an HDF5 file, found nothing there")
    try:
        # What has its name is whole, and is replaced, never changed: no reader needs a lock, and some
        # network drives have none.
        with h5py.File(path, "r", locking=False) as file:
            _check_own(file)
            yield file
    except (OSError, KeyError, RuntimeError, TypeError, AttributeError, ValueError) as error:
        raise DamagedFileError(
            f"{path}: expected a complete HDF5 file of this version, found a damaged one "
            f"({error}). Delete the file and run again: only what depends on it is made anew."
        ) from error
