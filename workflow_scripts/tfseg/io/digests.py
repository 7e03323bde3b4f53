"""Digests of files that are not code: of contents, or of names, sizes and modification times."""

import hashlib
from pathlib import Path


def contents_digest(paths):
    """Digest the names and contents of files that are not Python code, such as templates.

    Parameters
    ----------
    paths : iterable of path-like

    Returns
    -------
    digest : str
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path in sorted(map(Path, paths), key=lambda path: path.name):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.name}\0{content}\n".encode())
    return digest.hexdigest()[:16]


def files_digest(paths):
    """Digest the names, sizes and modification times of files.

    Parameters
    ----------
    paths : iterable of path-like
        Folders are ignored; a missing file counts by its name.
    """
    digest = hashlib.sha256()
    for path in sorted(map(Path, paths)):
        if path.is_dir():
            continue
        entry = f"{path}\0"
        if path.exists():
            entry += f"{path.stat().st_size}\0{path.stat().st_mtime_ns}"
        digest.update(f"{entry}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()
