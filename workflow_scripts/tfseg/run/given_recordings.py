"""The recordings for ``snakemake apply``, as inputs and parameters of its jobs."""

import functools
from dataclasses import dataclass

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
    """

    config: dict

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
        return {recording.name: recording.path for recording in find_recordings(paths)}

    def as_input(self, wildcards):
        """The recording as an input, if it exists; a missing one is reported by its job."""
        path = self.by_name[wildcards.recording]
        return [str(path)] if path.exists() and not _SPECIAL_SIGNS & set(str(path)) else []

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
