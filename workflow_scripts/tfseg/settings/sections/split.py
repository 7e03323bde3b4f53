"""How recordings are dealt to folds."""

from typing import Literal

from tfseg.settings.fields import Section, ShareBelowOne, setting


class Split(Section):
    """Section ``split``."""

    kind: Literal["folds", "fixed"] = setting(
        "folds", "fixed: the corpus's own; part 1 is held out, 2 is trained on"
    )
    folds: int = setting(4, "Folds of cross-validation", ge=2, le=1000)
    by: Literal["file", "source", "corpus"] = setting(
        "file", "Each file on its own (released code), by origin, or the corpus's own folds"
    )
    validation: ShareBelowOne = setting(
        0.0, "Share of a fold's origins and mixtures that is never trained on"
    )
