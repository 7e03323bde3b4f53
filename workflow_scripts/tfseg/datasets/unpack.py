"""Safe unpacking of untrusted zip archives: inside the folder, no links, whole or not at all."""

import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from tfseg.errors import DamagedFileError, DataError

_CHUNK = 1 << 20
_ALLOWED_GROWTH = 200  # silence compresses well; a zip bomb expands a thousandfold


def _checked_entries(archive, path, max_bytes):
    """Return the entries of one archive after all checks before unpacking."""
    entries = archive.infolist()
    for entry in entries:
        name = PurePosixPath(entry.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or ":" in entry.filename:
            raise DataError(f"{path}: its entry {entry.filename!r} would be written outside")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise DataError(f"{path}: its entry {entry.filename!r} is a link or a special file")
    stated = sum(entry.file_size for entry in entries)
    limit = max_bytes or _ALLOWED_GROWTH * max(path.stat().st_size, 1)
    if stated > limit:
        raise DataError(
            f"{path}: expected at most {limit} bytes when unpacked, its list states {stated}"
        )
    return entries, stated


def unpack(
    paths,
    folder,
    *,
    root=None,
    max_bytes=None,
    check=lambda folder: None,
    progress=lambda items: items,
):
    """Unpack one or several zip archives into a folder that appears whole or not at all.

    Parameters
    ----------
    paths : sequence of path-like
        Parts of one data set, all unpacked into the same folder.
    folder : path-like
        Must not exist yet.
    root : str or None
        Folder inside the archives whose content becomes `folder`; nothing may be beside it.
    max_bytes : int or None
        Largest unpacked size of one archive (200 times its size when `None`).
    check : callable
        Called with the unpacked folder before it appears; raises an error for wrong content.
    progress : callable
        Wraps the list of entries.

    Raises
    ------
    DataError
        For an entry that escapes the folder, a link, or an archive that expands too far.
    DamagedFileError
        For a truncated or altered archive.
    """
    folder = Path(folder)
    if folder.exists():
        raise DataError(f"{folder}: expected nothing there before unpacking")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # On the same disk, so that the rename at the end is not a copy.
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".part"))
    try:
        for path in map(Path, paths):
            try:
                with zipfile.ZipFile(path) as archive:
                    entries, stated = _checked_entries(archive, path, max_bytes)
                    free = shutil.disk_usage(work).free
                    if stated > free:
                        raise DataError(
                            f"{path}: expected {stated / 1e9:.2f} GB of free disk in "
                            f"{folder.parent}, found {free / 1e9:.2f} GB"
                        )
                    for entry in progress(entries):
                        _write(archive, entry, work, path)
            except OSError as error:
                raise DataError(f"{folder}: could not be written: {error}") from error
            # zipfile raises NotImplementedError for an unknown compression.
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
                raise DamagedFileError(
                    f"{path}: expected a complete zip archive ({error}). Delete it to download it "
                    "again."
                ) from error
        content = work
        if root is not None:
            found = sorted(path.name for path in work.iterdir())
            if found != [root]:
                raise DataError(
                    f"{paths[0]}: expected one folder {root} inside, found {', '.join(found[:5])}"
                )
            content = work / root
        check(content)
        content.chmod(0o755)
        content.replace(folder)
        if content != work:
            work.rmdir()
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def _write(archive, entry, work, path):
    """Write one entry, counting its bytes: the size in its header may be wrong."""
    target = work / entry.filename.replace("\\", "/")
    if entry.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(entry) as source, target.open("wb") as sink:
        while piece := source.read(_CHUNK):
            written += len(piece)
            if written > entry.file_size:
                raise DataError(f"{path}: its entry {entry.filename!r} is larger than it states")
            sink.write(piece)
