"""Where recordings are downloaded from."""

from typing import Annotated

from tfseg.settings.fields import EachOnce, Host, PositiveInteger, Section, Text, named, setting

Address = Annotated[
    str, named("^https?://[^/ ]+", "an address that begins with http:// or https://", "an address")
]


class Hosts(Section):
    """Servers of the data sets."""

    zenodo: Host = setting("https://zenodo.org", "Server of Zenodo's archives")
    github: Host = setting("https://github.com", "Server of GitHub's archives")
    github_api: Host = setting("https://api.github.com", "Server of GitHub's API")


class Download(Section):
    """Section ``download``."""

    hosts: Hosts = setting(Hosts, "Servers of the data sets")
    mirrors: EachOnce[Address] = setting(
        [], "Base addresses of copies of the archives, tried after the host"
    )
    registry: Text = setting(
        "resources/datasets.yaml", "Table of downloads: sizes, checksums, licences"
    )
    retries: PositiveInteger = setting(8, "Attempts in a row that may bring no new byte")
