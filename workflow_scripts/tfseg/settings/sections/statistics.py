"""How sure values are, and what systems are compared with."""

from tfseg.settings.fields import Section, setting


class Intervals(Section):
    """Section ``intervals``."""

    resamples: int = setting(
        1000, "Bootstrap: draws of as many clips, with replacement", unit="draws", ge=100
    )


class Comparison(Section):
    """Section ``comparison``."""

    reference: str | None = setting(
        None, "System that the others are compared with; null: the first of systems"
    )
