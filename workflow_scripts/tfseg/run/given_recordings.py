"""The recordings for ``snakemake apply``, as inputs and parameters of its jobs."""

import functools
from dataclasses import dataclass
from pathlib import Path

from tfseg.errors import ConfigError
from tfseg.io.digests import files_digest

# Characters with a special meaning for Snakemake in the path of an input.
_SPECIAL_SIGNS = set("<>{}")


@dataclass(frozen=True)
class GivenRecordings:
    """Recordings that a config names.

    Parameters
    ----------
    config : dict
    made : sequence of str
        Recordings that the run itself makes: they, or their folder, may be given before they are
        there.
    """

    config: dict
    made: tuple = ()

    @functools.cached_property
    def by_name(self):
        """Path of each recording, by the name of its results.

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
        found = find_recordings(paths, to_come=map(Path, self.made))
        return {recording.name: recording.path for recording in found}

    def as_input(self, wildcards):
        """The recording as an input, if it exists; a missing one is reported by its job."""
        path = self.by_name[wildcards.recording]
        is_there = path.exists() or str(path) in self.made
        return [str(path)] if is_there and not _SPECIAL_SIGNS & set(str(path)) else []

    def path(self, wildcards):
        """Path of a recording."""
        return str(self.by_name[wildcards.recording])

    def state(self, wildcards):
        """A value that changes with a recording that cannot be an input; empty for others."""
        path = self.by_name[wildcards.recording]
        return files_digest([path]) if _SPECIAL_SIGNS & set(str(path)) else ""

    def files(self, pattern):
        """Result paths of all recordings, from a pattern with the wildcard ``recording``."""
        return [pattern.replace("{recording}", name) for name in self.by_name]
