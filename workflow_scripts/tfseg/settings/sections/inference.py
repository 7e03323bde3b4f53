"""Application of the networks to the clips of a run."""

from tfseg.settings.fields import PositiveInteger, Section, setting


class Inference(Section):
    """Section ``inference``."""

    batch_size: PositiveInteger = setting(24, "Clips in a batch", unit="clips")
    threads: PositiveInteger = setting(4, "CPU threads", unit="threads")
