"""Separation by the masks of systems, and its scores."""

from typing import Annotated

from pydantic import Field

from tfseg.settings.fields import PositiveInteger, Section, setting


class Separation(Section):
    """Section ``separation``."""

    mixtures_per_fold: Annotated[int, Field(ge=1)] | None = setting(
        20, "Scored, drawn at random, all classes alike; null: all", unit="mixtures"
    )
    examples_per_fold: int = setting(1, "Of these, written as wav", unit="mixtures", ge=0)
    filter_length: PositiveInteger = setting(
        512, "Distortion that BSS Eval forgives (its default)", unit="taps"
    )
    processes: PositiveInteger = setting(4, "Processes of one job", unit="processes")
