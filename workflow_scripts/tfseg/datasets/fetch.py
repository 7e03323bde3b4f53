"""Download of archives: resumed after interruptions, and verified before use."""

import email.utils
import hashlib
import shutil
import time
import urllib.parse
import zipfile
from dataclasses import dataclass
from pathlib import Path

import requests
import urllib3

from tfseg.errors import DataError

_CHUNK = 1 << 20
_RETRIED_STATUS = {429, 500, 502, 503, 504}
_TIMEOUT_S = (15, 60)  # for the connection, and between pieces of data
_LONGEST_WAIT_S = 300
_OFFLINE_RETRIES = 3


@dataclass(frozen=True)
class Archive:
    """One file to download.

    Parameters
    ----------
    name : str
        Name of the stored file.
    urls : tuple of str
        Mirrors, in the order of attempts.
    n_bytes : int or None
        Expected size.
    md5 : str or None
        Expected checksum; `None` only if the source states none.
    """

    name: str
    urls: tuple
    n_bytes: int | None = None
    md5: str | None = None


class _TryAgain(Exception):
    """A temporary failure; `wait_s` is the pause that the server asked for, if any."""

    def __init__(self, reason, wait_s=None, *, is_offline=False):
        super().__init__(reason)
        self.wait_s, self.is_offline = wait_s, is_offline


def _is_offline(error):
    return "NameResolutionError" in repr(error)


def why(error, url):
    """Describe a connection error in one short line."""
    if _is_offline(error):
        return f"{urllib.parse.urlsplit(url).hostname} cannot be found: is there a network?"
    return f"{type(error).__name__}: {error}"


def file_md5(path):
    """MD5 of a file's content, in the form of record pages."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def problem_of(path, archive):
    """Describe what is wrong with a finished file; None if it is as expected."""
    size = Path(path).stat().st_size
    if archive.n_bytes is not None and size != archive.n_bytes:
        return f"expected {archive.n_bytes} bytes, found {size}"
    if archive.md5 is not None:
        found = file_md5(path)
        if found != archive.md5:
            return f"expected md5 {archive.md5}, found {found}"
    elif not zipfile.is_zipfile(path):
        return "expected a complete zip archive, found something else"
    return None


def _retry_after_s(response):
    """Return the seconds of a Retry-After header (a number or a date), or None."""
    value = response.headers.get("Retry-After")
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    date = email.utils.parsedate_to_datetime(value)
    return max(0.0, date.timestamp() - time.time())


def _check_disk(folder, needed, name):
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(
            f"{name}: expected {needed / 1e9:.2f} GB of free disk in {folder}, found "
            f"{free / 1e9:.2f} GB. Free some, or name another folder with the key data_root."
        )


def _receive(session, url, part, archive, progress):
    """Receive the rest of a file into `part`; raise `_TryAgain` if the connection breaks."""
    have = part.stat().st_size if part.exists() else 0
    if archive.n_bytes is not None and have == archive.n_bytes:
        return
    if archive.n_bytes is not None and have > archive.n_bytes:
        part.unlink()
        have = 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        with session.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as response:
            if response.status_code == 416 and have:
                part.unlink()  # it is not the beginning of that file
                raise _TryAgain("the server has no such range; starting over", 0)
            if response.status_code in _RETRIED_STATUS:
                raise _TryAgain(f"HTTP {response.status_code}", _retry_after_s(response))
            if response.status_code not in (200, 206):
                raise DataError(f"{archive.name}: {url} answered HTTP {response.status_code}")
            resumed = response.status_code == 206
            if resumed:
                stated = response.headers.get("Content-Range", "")
                if not stated.startswith(f"bytes {have}-"):
                    part.unlink()
                    raise _TryAgain(f"asked from byte {have}, got {stated!r}; starting over", 0)
            start = have if resumed else 0
            length = response.headers.get("Content-Length")
            total = start + int(length) if length else archive.n_bytes
            if archive.n_bytes is not None and total != archive.n_bytes:
                raise DataError(
                    f"{archive.name}: expected {archive.n_bytes} bytes, {url} has {total}"
                )
            if total is not None:
                _check_disk(part.parent, total - start, archive.name)
            bar = progress(archive.name, total, start)
            with part.open("ab" if resumed else "wb") as stream:
                # read1 returns the data received so far, so that none is lost if the rest fails.
                while piece := response.raw.read1(_CHUNK):
                    stream.write(piece)
                    bar.update(len(piece))
            bar.close()
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise _TryAgain(why(error, url), is_offline=_is_offline(error)) from None
    size = part.stat().st_size
    if total is not None and size < total:
        raise _TryAgain(f"the connection ended after {size} of {total} bytes")


class _NoBar:
    def update(self, n):
        """Ignore."""

    def close(self):
        """Ignore."""


def fetch(
    archive,
    folder,
    *,
    retries=8,
    first_wait_s=2.0,
    sleep=time.sleep,
    log=print,
    progress=lambda name, total, initial: _NoBar(),
):
    """Download an archive, unless it is already there.

    Parameters
    ----------
    archive : Archive
    folder : path-like
    retries : int
        Consecutive attempts without a new byte before the next mirror is tried.
    first_wait_s : float
        Pause before the second attempt. It doubles each time; a server's Retry-After has priority.
    sleep, log : callable
    progress : callable
        ``progress(name, total, initial)`` returns a tqdm-like bar in bytes.

    Returns
    -------
    path : Path

    Raises
    ------
    DataError
        The message names file, URL, what was expected and found, and the remedy.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path, part = folder / archive.name, folder / f"{archive.name}.part"
    if path.exists():
        problem = problem_of(path, archive)
        if problem is None:
            return path
        raise DataError(
            f"{path}: {problem}. It was not changed: delete it to download it again, or set "
            "data_root to the folder that holds the right one."
        )
    reasons = []
    for url in archive.urls:
        attempt, started_over = 0, False
        while attempt < retries:
            before = part.stat().st_size if part.exists() else 0
            try:
                _receive(session=requests, url=url, part=part, archive=archive, progress=progress)
            except _TryAgain as failure:
                grew = part.exists() and part.stat().st_size > before
                attempt = 1 if grew else attempt + 1
                if failure.is_offline and before == 0 and attempt == _OFFLINE_RETRIES:
                    attempt = retries  # nothing was ever received: further attempts are useless
                wait_s = failure.wait_s
                if wait_s is None:
                    wait_s = first_wait_s * 2 ** (attempt - 1)
                reason = f"{url}: {failure}"
                if attempt < retries:
                    log(f"{archive.name}: {reason}; trying again in {wait_s:g} s")
                    sleep(min(wait_s, _LONGEST_WAIT_S))
                continue
            problem = problem_of(part, archive)
            if problem is None:
                part.replace(path)
                return path
            part.unlink()
            reason = f"{url}: {problem}"
            if started_over:
                break
            # The part may belong to another version of the file: start over once.
            started_over = True
            log(f"{archive.name}: {reason}; downloading it again from the start")
        reasons.append(reason)
    raise DataError(
        f"{archive.name} could not be downloaded to {folder}:\n  " + "\n  ".join(reasons) + "\n"
        "Run the same command again to resume, or download the file yourself into "
        "that folder."
    )
