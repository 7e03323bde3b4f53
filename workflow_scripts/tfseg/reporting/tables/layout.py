"""What a table's rows and columns are in one run (the standard library only)."""

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Layout:
    """What a table's rows and columns are.

    Parameters
    ----------
    systems, classes : sequence of str
    snr_db : sequence of float
        A single NaN for clips that were not mixed here.
    by_class_snr_db : float
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
    by_class_snr_db: float
    metric_settings: Any
    mask_systems: list = ()
    paper_name: str | None = None
    n_separated: int | None = None


def snr_name(snr_db):
    """Text for an SNR in a heading."""
    return "as recorded" if math.isnan(snr_db) else f"{snr_db:g} dB"
