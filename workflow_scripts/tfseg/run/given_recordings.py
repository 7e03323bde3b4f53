"""The recordings for ``snakemake apply``, as inputs and parameters of its jobs."""

import functools
import os
from dataclasses import dataclass
from pathlib import Path

from tfseg.errors import ConfigError
from tfseg.io.digests import files_digest
from tfseg.io.validation import is_one_line

# Characters with a special meaning for Snakemake in the path of an input.
_SPECIAL_SIGNS = set("<>{}")


def _is_special(path):
    """Whether a path cannot be an input: it means something else, or cannot be written down."""
    return bool(_SPECIAL_SIGNS & set(str(path))) or not is_one_line(str(path))


@dataclass(frozen=True)
class GivenRecordings:
    """Recordings that a config names.

    Parameters
    ----------
    config : dict
    out : str
        Folder of the results.
    made : sequence of str
        Recordings that the run itself makes: they, or their folder, may be given before they are
        there.
    """

    config: dict
    out: str
    made: tuple = ()

    @functools.cached_property
    def listing(self):
        """What the config names: `tfseg.apply.listing.Listing`.

        Raises
        ------
        ConfigError
            When the config names no recordings, or no model.
        DataError
            When a list of recordings cannot be read.
        """
        # Imported here: it loads audio libraries, and every job of a cluster reads the rules.
        from tfseg.apply.listing import find_recordings

        for key in ("recordings", "model"):
            if not self.config[key]:
                raise ConfigError(
                    f"config key {key}: expected a path, found none. Give the recordings and the "
                    "model: snakemake apply --config recordings=PATH "
                    "model=results/<run>/models/.../seed0"
                )
        given = self.config["recordings"]
        paths = given if isinstance(given, list) else [given]
        return find_recordings(paths, self.out, to_come=map(Path, self.made))

    @functools.cached_property
    def by_name(self):
        """Path of each recording, by the name of its results."""
        return {recording.name: recording.path for recording in self.listing.recordings}

    @functools.cached_property
    def _reference(self):
        """File names of the reference table by recording, and those that mean none.

        None where the table is not there yet.
        """
        from tfseg.apply.listing import match_reference
        from tfseg.inference.events import read_events

        table = self.config["reference"]
        if not table:
            return {}, []
        if self.made and not os.path.exists(table):
            return None
        return match_reference(read_events(table), self.listing.recordings, table)

    def reference_names(self, wildcards):
        """File names of the reference table that mean a recording."""
        path = self.by_name[wildcards.recording]
        if self._reference is None:  # the run makes both, and names its own recordings plainly
            return [path.name] if str(path) in self.made else []
        return self._reference[0].get(wildcards.recording, [])

    def notes(self, _wildcards):
        """Lines on what is left out, and on what the reference names without use."""
        from tfseg.apply.listing import unused_note

        unused = self._reference[1] if self._reference else []
        return [*self.listing.notes, *unused_note(unused, self.config["reference"])]

    def as_input(self, wildcards):
        """The recording as an input, if it exists; a missing one is reported by its job."""
        path = self.by_name[wildcards.recording]
        is_there = os.path.isfile(path) or str(path) in self.made
        return [str(path)] if is_there and not _is_special(path) else []

    def path(self, wildcards):
        """Path of a recording."""
        return str(self.by_name[wildcards.recording])

    def state(self, wildcards):
        """A value that changes with a recording that cannot be an input; empty for others."""
        path = self.by_name[wildcards.recording]
        return files_digest([path]) if _is_special(path) else ""

    def files(self, pattern):
        """Result paths of all recordings, from a pattern with the wildcard ``recording``."""
        return [pattern.replace("{recording}", name) for name in self.by_name]
