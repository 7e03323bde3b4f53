"""What can be downloaded: the committed facts of each data set, and those its record states."""

from dataclasses import dataclass
from pathlib import Path

import requests
import yaml

from tfseg.corpora.fetch import Archive
from tfseg.errors import DataError
from tfseg.files import read_json, write_json

_TIMEOUT_S = 30


@dataclass(frozen=True)
class Dataset:
    """One record of the host.

    Parameters
    ----------
    name, title, record, licence, citation : str
    folders : dict
        Folder (as the archives hold it) to its archives; an archive's name to its ``bytes`` and
        ``md5``, or to None when the record has to be asked for them.
    """

    name: str
    title: str
    record: str
    licence: str
    citation: str
    folders: dict

    @property
    def archives(self):
        """All archives: name to facts or None."""
        return {name: facts for part in self.folders.values() for name, facts in part.items()}

    @property
    def asks_record(self):
        """Whether the record's API has to be asked for checksums."""
        return any(facts is None for facts in self.archives.values())

    def archive(self, name, host, stated=None):
        """Describe one archive for `tfseg.corpora.fetch.fetch`.

        Parameters
        ----------
        name : str
        host : str
            Address of the host, without a slash at its end.
        stated : dict or None
            What the record stated, as `ask_record` returns it.
        """
        facts = self.archives[name] or stated[name]
        url = f"{host}/records/{self.record}/files/{name}"
        return Archive(name, (f"{url}?download=1", url), facts["bytes"], facts["md5"])


def load_registry(path):
    """Load the committed registry (``resources/datasets.yaml``): name to `Dataset`."""
    values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    return {name: Dataset(name=name, **facts) for name, facts in values.items()}


def ask_record(dataset, host, path):
    """Ask the record's API for sizes and checksums, and keep them beside the download.

    Parameters
    ----------
    dataset : Dataset
    host : str
    path : path-like
        Where the answer is kept. An earlier answer there must say the same.

    Returns
    -------
    stated : dict
        Archive to ``{"bytes": int, "md5": str}``.

    Raises
    ------
    DataError
        When the host does not answer, states no checksum, or states another than before.
    """
    url = f"{host}/api/records/{dataset.record}"
    by_hand = f"Run the same command again, or open {host}/records/{dataset.record} to see why."
    try:
        response = requests.get(url, timeout=_TIMEOUT_S)
        response.raise_for_status()
        files = {entry["key"]: entry for entry in response.json()["files"]}
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{dataset.name}: {url} gave no list of files ({error}). {by_hand}"
        ) from None
    stated = {}
    for name in dataset.archives:
        if name not in files:
            raise DataError(f"{dataset.name}: {url} does not list {name}. {by_hand}")
        kind, _, digest = str(files[name].get("checksum", "")).partition(":")
        if kind != "md5" or len(digest) != 32:
            raise DataError(f"{dataset.name}: {url} states no md5 of {name}. {by_hand}")
        stated[name] = {"bytes": int(files[name]["size"]), "md5": digest}
    if Path(path).exists() and read_json(path) != stated:
        raise DataError(
            f"{path}: the record stated other checksums before. Delete this file only if you "
            "know why the archives were replaced."
        )
    write_json(path, stated)
    return stated
