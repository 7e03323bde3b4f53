"""Confidence intervals, and the comparison of systems."""

from tfseg.settings.fields import Section, setting


class Intervals(Section):
    """Section ``intervals``."""

    resamples: int = setting(1000, "Bootstrap resamples of the clips", unit="draws", ge=100)


class Comparison(Section):
    """Section ``comparison``."""

    reference: str | None = setting(None, "Reference system; null: the first of systems")
