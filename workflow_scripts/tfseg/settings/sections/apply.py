"""A model applied to recordings (``snakemake apply``)."""

from typing import Literal

from tfseg.settings.fields import PositiveInteger, PositiveNumber, Section, setting


class Apply(Section):
    """Section ``apply``."""

    window_s: PositiveNumber | None = setting(
        None, "Windows overlap by half; null: as long as the model's training clips", unit="s"
    )
    batch_size: PositiveInteger = setting(8, "Windows in a batch", unit="windows")
    block_s: PositiveNumber = setting(
        60.0, "Length that is read at once; no effect on results", unit="s"
    )
    level: Literal["as_trained", "as_recorded"] = setting(
        "as_trained", "as_trained: scale a recording so that its loud parts are as in training"
    )
    sounds: bool = setting(True, "Write the sound of each detected class, and the rest")
    page: bool = setting(True, "Write a page and a picture of each recording")
    threads: PositiveInteger = setting(4, "CPU threads", unit="threads")
