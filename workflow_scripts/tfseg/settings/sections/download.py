"""Where recordings are downloaded from."""

from typing import Annotated

from pydantic import Field

from tfseg.settings.fields import EachOnce, Host, PositiveInteger, Section, Text, setting

Address = Annotated[str, Field(pattern="^https?://[^/ ]+")]


class Hosts(Section):
    """Servers of the data sets."""

    zenodo: Host = setting("https://zenodo.org", "Server of Zenodo's archives")
    github: Host = setting("https://github.com", "Server of GitHub's archives")
    github_api: Host = setting("https://api.github.com", "Server that says what GitHub has")


class Download(Section):
    """Section ``download``."""

    hosts: Hosts = setting(Hosts, "Servers that data sets are downloaded from")
    mirrors: EachOnce[Address] = setting(
        [], "Addresses below which the archives lie by name, tried after the host"
    )
    registry: Text = setting(
        "resources/datasets.yaml", "What can be downloaded: sizes, checksums, licences"
    )
    retries: PositiveInteger = setting(8, "Attempts in a row without a new byte")
