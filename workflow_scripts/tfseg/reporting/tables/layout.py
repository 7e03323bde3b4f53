"""Rows and columns of a table in one run (standard library only)."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Layout:
    """Rows and columns of a table.

    Parameters
    ----------
    systems, classes : sequence of str
    snr_db : sequence of float or None
        A single None for clips that were not mixed here.
    by_class_snr_db : float or None
        SNR of the printed tables by class; their CSV has every SNR.
    metric_settings : tfseg.evaluation.records.MetricSettings
        For the caption, and for the error rate of the event table.
    mask_systems : sequence of str
        The systems with masks.
    paper_name : str or None
        ``compare_with`` of the config.
    n_separated : int or None
        Number of mixtures per fold that separation is scored on; None for all.
    """

    systems: list
    classes: list
    snr_db: list
    by_class_snr_db: float | None
    metric_settings: Any
    mask_systems: list | tuple = ()
    paper_name: str | None = None
    n_separated: int | None = None
