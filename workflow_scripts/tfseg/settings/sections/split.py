"""Assignment of recordings to folds."""

from typing import Literal

from tfseg.settings.fields import Section, ShareBelowOne, setting


class Split(Section):
    """Section ``split``."""

    kind: Literal["folds", "fixed"] = setting(
        "folds", "fixed: the corpus's own split; part 1 is held out, part 2 is for training"
    )
    folds: int = setting(4, "Folds of cross-validation", ge=2, le=1000)
    by: Literal["file", "source", "corpus"] = setting(
        "file", "Assign single files (released code), all files of a source, or the corpus's folds"
    )
    validation: ShareBelowOne = setting(
        0.0, "Share of a fold's sources and mixtures for validation; not used in training"
    )
