"""The data sets for download: facts in the repository, and facts stated by the hosts."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import requests
import yaml

from tfseg.datasets.fetch import Archive, why
from tfseg.errors import ConfigError, DamagedFileError, DataError
from tfseg.io.files import read_json, write_json

_TIMEOUT_S = 30
_VERIFIED_PARTS = ("audio", "meta")


@dataclass(frozen=True)
class Dataset:
    """One data set on its host.

    Parameters
    ----------
    name, title, licence, citation : str
    host : {"zenodo", "github"}
    folders : dict
        Folder in the archives to its archives. An archive's name maps to its ``bytes`` and ``md5``,
        or to None if the host has to be asked.
    record : str or None
        Number of the zenodo record.
    repository, commit : str or None
        GitHub's owner/name, and the pinned commit.
    rooted : bool
        Whether the files in the archives are below one folder of the same name.
    expect : dict
        Content that its authors state, checked when it is read.
    """

    name: str
    title: str
    host: str
    licence: str
    citation: str
    folders: dict
    record: str | None = None
    repository: str | None = None
    commit: str | None = None
    rooted: bool = True
    expect: dict = field(default_factory=dict)

    @property
    def archives(self):
        """All archives: name to facts or None."""
        return {name: facts for part in self.folders.values() for name, facts in part.items()}

    @property
    def asks_record(self):
        """Whether the host's API has to be asked for sizes and checksums."""
        return any(facts is None for facts in self.archives.values())

    def archive(self, name, hosts, mirrors=(), stated=None):
        """Describe one archive for `tfseg.datasets.fetch.fetch`.

        Parameters
        ----------
        name : str
        hosts : dict
            Addresses by name (the config's ``download.hosts``), without a slash at the end.
        mirrors : sequence of str
            Base addresses of copies of the archives, tried after the host.
        stated : dict or None
            Facts stated by the host, from `ask_record`.
        """
        further = tuple(f"{mirror.rstrip('/')}/{name}" for mirror in mirrors)
        if self.host == "github":
            # GitHub sometimes repacks an archive: only its content can be verified.
            url = f"{hosts['github']}/{self.repository}/archive/{self.commit}.zip"
            return Archive(name, (url, *further))
        facts = self.archives[name] or stated[name]
        url = f"{hosts['zenodo']}/records/{self.record}/files/{name}"
        return Archive(name, (f"{url}?download=1", url, *further), facts["bytes"], facts["md5"])


def load_registry(path):
    """Load the committed registry (``resources/datasets.yaml``): name to `Dataset`.

    Raises
    ------
    ConfigError
        When the file is missing or is not a registry.
    """
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        return {name: Dataset(name=name, **facts) for name, facts in values.items()}
    except (OSError, ValueError, yaml.YAMLError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"config key download.registry: expected a registry of data sets as "
            f"resources/datasets.yaml, found {path}, which cannot be used: {error}"
        ) from None


def _where_from(dataset, path):
    """Explain why the host is asked: the data set's folders are missing."""
    root = Path(path).parent.parent
    return f"It was asked because {root} holds no {' and no '.join(dataset.folders)} yet."


def _answer(url, name, by_hand):
    try:
        response = requests.get(url, timeout=_TIMEOUT_S)
        response.raise_for_status()
        return response.json()
    except (requests.RequestException, ValueError) as error:
        reason = why(error, url)
        raise DataError(f"{name}: {url} gave no list of files ({reason}). {by_hand}") from None


def _ask_zenodo(dataset, hosts):
    """Ask the record's API; return archive to ``{"bytes": int, "md5": str}``."""
    url = f"{hosts['zenodo']}/api/records/{dataset.record}"
    page = f"{hosts['zenodo']}/records/{dataset.record}"
    by_hand = f"Run the same command again, or open {page} to see why."
    answer = _answer(url, dataset.name, by_hand)
    try:
        files = {entry["key"]: entry for entry in answer["files"]}
    except (KeyError, TypeError) as error:
        raise DataError(
            f"{dataset.name}: {url} gave no list of files (no {error}). {by_hand}"
        ) from None
    stated = {}
    for name in dataset.archives:
        if name not in files:
            raise DataError(f"{dataset.name}: {url} does not list {name}. {by_hand}")
        kind, _, digest = str(files[name].get("checksum", "")).partition(":")
        if kind != "md5" or len(digest) != 32:
            raise DataError(f"{dataset.name}: {url} states no md5 of {name}. {by_hand}")
        stated[name] = {"bytes": int(files[name]["size"]), "md5": digest}
    return stated


def _ask_github(dataset, hosts):
    """Ask GitHub's API; return file to ``{"bytes": int, "git_sha1": str}`` of the pinned commit."""
    url = f"{hosts['github_api']}/repos/{dataset.repository}/git/trees/{dataset.commit}?recursive=1"
    by_hand = (
        "Run the same command again later (GitHub limits requests per hour without an account), "
        f"or clone {hosts['github']}/{dataset.repository} and set data_root to it."
    )
    answer = _answer(url, dataset.name, by_hand)
    try:
        stated = {
            entry["path"]: {"bytes": int(entry["size"]), "git_sha1": entry["sha"]}
            for entry in answer["tree"]
            if entry["type"] == "blob" and entry["path"].split("/")[0] in _VERIFIED_PARTS
        }
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{dataset.name}: {url} gave no list of files (no {error}). {by_hand}"
        ) from None
    if not stated or answer.get("truncated"):
        raise DataError(f"{dataset.name}: {url} gave an incomplete list of files. {by_hand}")
    return stated


def ask_record(dataset, hosts, path):
    """Ask the host's API for sizes and checksums, and keep the answer beside the download.

    Parameters
    ----------
    dataset : Dataset
    hosts : dict
    path : path-like
        File for the answer. An earlier answer in it must be the same.

    Returns
    -------
    stated : dict
        Zenodo: archive to ``{"bytes": int, "md5": str}``. GitHub: file to ``{"bytes": int,
        "git_sha1": str}``.

    Raises
    ------
    DataError
        When the host does not answer, states no checksum, or states a different one than before.
    """
    try:
        stated = {"zenodo": _ask_zenodo, "github": _ask_github}[dataset.host](dataset, hosts)
    except DataError as error:
        raise DataError(f"{error} {_where_from(dataset, path)}") from None
    if Path(path).exists() and read_json(path) != stated:
        raise DataError(
            f"{path}: the record stated other checksums before. Delete this file only if you "
            "know why the archives were replaced."
        )
    write_json(path, stated)
    return stated


def git_sha1(path):
    """Git's hash of a file's content: SHA-1 of ``blob``, its length, and its bytes."""
    digest = hashlib.sha1(f"blob {Path(path).stat().st_size}\0".encode(), usedforsecurity=False)
    with open(path, "rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def check_content(folder, stated, progress=lambda items: items):
    """Compare an unpacked folder with the files of the pinned commit.

    Parameters
    ----------
    folder : path-like
    stated : dict
        From `ask_record` for GitHub.
    progress : callable

    Raises
    ------
    DamagedFileError
        The message names the first file that is missing or has other content.
    """
    for name, facts in progress(sorted(stated.items())):
        path = Path(folder) / name
        if not path.is_file():
            raise DamagedFileError(f"{name}: the commit has this file, but the archive does not")
        found = git_sha1(path)
        if found != facts["git_sha1"]:
            raise DamagedFileError(
                f"{name}: expected content with git's hash {facts['git_sha1']}, found {found}"
            )
