"""A model applied to recordings (``snakemake apply``)."""

from typing import Literal

from tfseg.settings.fields import PositiveInteger, PositiveNumber, Section, setting


class Apply(Section):
    """Section ``apply``."""

    window_s: PositiveNumber | None = setting(
        None, "Windows overlap by half; null: as long as the model's training clips", unit="s"
    )
    batch_size: PositiveInteger = setting(
        8, "Windows that the network takes at once", unit="windows"
    )
    block_s: PositiveNumber = setting(60.0, "Read at once; no effect on any value", unit="s")
    level: Literal["as_trained", "as_recorded"] = setting(
        "as_trained", "as_trained: a recording's loud stretches as in training"
    )
    sounds: bool = setting(True, "Write the sound of each class that was found, and the rest")
    page: bool = setting(True, "Write a page and a picture of each recording")
    threads: PositiveInteger = setting(4, "CPU threads", unit="threads")
