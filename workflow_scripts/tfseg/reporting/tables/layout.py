"""What a table's rows and columns are in one run (the standard library only)."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Layout:
    """What a table's rows and columns are.

    Parameters
    ----------
    systems, classes : sequence of str
    snr_db : sequence of float or None
        A single None for clips that were not mixed here.
    by_class_snr_db : float or None
        SNR that the printed tables by class show; their CSV holds every SNR.
    metric_settings : tfseg.evaluation.records.MetricSettings
        For the caption, and for which error rate the event table shows.
    mask_systems : sequence of str
        Those of the systems that have masks.
    paper_name : str or None
        ``compare_with`` of the config.
    n_separated : int or None
        Mixtures of a fold that separation was scored on; None for all.
    """

    systems: list
    classes: list
    snr_db: list
    by_class_snr_db: float | None
    metric_settings: Any
    mask_systems: list | tuple = ()
    paper_name: str | None = None
    n_separated: int | None = None
