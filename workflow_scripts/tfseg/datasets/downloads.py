"""Where downloads lie below the user's ``data_root``: archives, their records, unpacked folders."""

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
        """Each folder to the name of its data set."""
        return {f: name for name, dataset in self.datasets.items() for f in dataset.folders}

    @functools.cached_property
    def archives(self):
        """Each archive to the name of its data set."""
        return {a: name for name, dataset in self.datasets.items() for a in dataset.archives}

    @functools.cached_property
    def absent_folders(self):
        """Folders that are not there; only these may be unpacked.

        A folder that is there has no rule that makes it. Snakemake deletes what it is about to
        make again, and must never delete a user's recordings.
        """
        return [folder for folder in self.folders if not Path(self.data_root, folder).exists()]

    def archive_path(self, archive):
        """Where an archive lies: beside the folders if the user put it there, else in archives/."""
        beside = Path(self.data_root, archive)
        return str(beside if beside.exists() else Path(self.data_root, "archives", archive))

    def archives_of(self, folder):
        """Paths of the archives that hold a folder."""
        dataset = self.datasets[self.folders[folder]]
        return [self.archive_path(archive) for archive in dataset.folders[folder]]

    def arrivals_of(self, folder):
        """What says that the archives of a folder are there: themselves, or a verified download."""
        received = f"{Path(self.data_root, 'archives')}/"
        return [
            f"{path}.verified.json" if path.startswith(received) else path
            for path in self.archives_of(folder)
        ]

    def record_of(self, name):
        """Path of what a data set's record stated, as a list; empty when nothing has to be asked."""
        asks = self.datasets[name].asks_record
        return [f"{self.data_root}/archives/{name}.record.json"] if asks else []
