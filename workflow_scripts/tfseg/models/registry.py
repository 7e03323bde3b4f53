"""The named systems: which trunk with which pooling. Imports nothing, so that the DAG can read it.

A system's name is spelled the same in the config, in paths and in tables.
"""

from typing import NamedTuple


class System(NamedTuple):
    """Names of a system's trunk and pooling (`tfseg.models.systems`)."""

    trunk: str
    pooling: str


SYSTEMS = {
    "gmp": System(trunk="vgg", pooling="gmp"),
    "gap": System(trunk="vgg", pooling="gap"),
    "gwrp": System(trunk="vgg", pooling="gwrp"),
}
