"""The tidy table of metrics, and the settings of the metrics (with few imports)."""

from dataclasses import dataclass

import pandas as pd

from tfseg.errors import TableError

COLUMNS = ["task", "metric", "class", "snr_db", "system", "fold", "seed", "variant", "value", "n"]


@dataclass(frozen=True)
class MetricSettings:
    """Keys of ``metrics`` in the config.

    Parameters
    ----------
    tag_threshold, frame_threshold, mask_threshold : float
        A score is positive above it.
    tag_gate : bool
        Whether the published frame scores are set to zero in clips whose tag is not positive.
    collar_s, offset_fraction : float
    error_rate : {"class_wise", "overall"}
        Error rate in the published event table.
    """

    tag_threshold: float
    frame_threshold: float
    mask_threshold: float
    tag_gate: bool
    collar_s: float
    offset_fraction: float
    error_rate: str


def read_metrics(path):
    """Read a metrics table; `fold` stays text (a number, ``all`` or ``pooled``)."""
    # A class may be called NA, and a fold is not always a number.
    text_columns = ("task", "metric", "class", "system", "fold", "variant")
    frame = pd.read_csv(
        path,
        dtype=dict.fromkeys(text_columns, str),
        keep_default_na=False,
        na_values={"snr_db": [""], "value": [""]},
    )
    missing = [column for column in COLUMNS if column not in frame.columns]
    if missing:
        raise TableError(f"{path}: expected the columns {COLUMNS}, missing {missing}")
    return frame
