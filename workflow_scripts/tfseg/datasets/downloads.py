"""Paths of downloads below the user's ``data_root``: archives, their records, unpacked folders."""

import functools
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Downloads:
    """The data sets of a registry, in a folder.

    Parameters
    ----------
    datasets : dict of str to tfseg.datasets.registry.Dataset
    data_root : str
    """

    datasets: dict
    data_root: str

    @functools.cached_property
    def folders(self):
        """Map each folder to the name of its data set."""
        return {f: name for name, dataset in self.datasets.items() for f in dataset.folders}

    @functools.cached_property
    def archives(self):
        """Map each archive to the name of its data set."""
        return {a: name for name, dataset in self.datasets.items() for a in dataset.archives}

    @functools.cached_property
    def absent_folders(self):
        """Missing folders; only these may be unpacked.

        An existing folder has no rule that makes it. Snakemake deletes an output before it makes it
        again, and must never delete a user's recordings.
        """
        return [folder for folder in self.folders if not Path(self.data_root, folder).exists()]

    def archive_path(self, archive):
        """Path of an archive: beside the folders if the user put it there, else in archives/."""
        beside = Path(self.data_root, archive)
        return str(beside if beside.exists() else Path(self.data_root, "archives", archive))

    def archives_of(self, folder):
        """Paths of the archives that contain a folder."""
        dataset = self.datasets[self.folders[folder]]
        return [self.archive_path(archive) for archive in dataset.folders[folder]]

    def arrivals_of(self, folder):
        """Files that mark a folder's archives as present: the archives, or their records."""
        received = f"{Path(self.data_root, 'archives')}/"
        return [
            f"{path}.verified.json" if path.startswith(received) else path
            for path in self.archives_of(folder)
        ]

    def record_of(self, name):
        """Path of the answer of a data set's host, as a list; empty if no question is needed."""
        asks = self.datasets[name].asks_record
        return [f"{self.data_root}/archives/{name}.record.json"] if asks else []
