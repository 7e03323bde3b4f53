"""Separation with the systems' masks, and its scores."""

from typing import Annotated

from pydantic import Field

from tfseg.settings.fields import PositiveInteger, Section, ShareBelowOne, setting


class Separation(Section):
    """Section ``separation``."""

    mixtures_per_fold: Annotated[int, Field(ge=1)] | None = setting(
        20,
        "Mixtures to separate: a random sample with balanced classes; null: all",
        unit="mixtures",
    )
    examples_per_fold: int = setting(
        1, "Of these, mixtures that are written as wav", unit="mixtures", ge=0
    )
    filter_length: PositiveInteger = setting(
        512, "Length of the distortion filter that BSS Eval allows (its default)", unit="taps"
    )
    competition: Annotated[float, Field(ge=0, le=100)] = setting(
        0.0, "Exponent p of the share M_k^p / sum M_j^p that a mask keeps of a unit; 0: all of it"
    )
    floor: ShareBelowOne = setting(
        0.0, "Least value of a mask in each band: a missed class is then the mixture, quietly"
    )
    processes: PositiveInteger = setting(4, "Processes of one job", unit="processes")
