"""What each system achieves in every task, and what it costs."""

from tfseg.reporting.tables.declaration import Column, Table


def _caption(clip_s, n_resamples):
    return (
        "Leaderboard: means over SNRs and repeats, with the clips of all held-out folds as one "
        f"set. Brackets: 95 % intervals from {n_resamples} resamples of the clips. Tags, frames, "
        "events and masks use the fixed thresholds, PSDS the raw frame scores. SI-SDRi uses oracle "
        "tags, CAPI-SDRi predicted tags. A dash: the system or the corpus has no such value, or "
        "the PSDS package is not installed. MMAC: millions of multiply-accumulates per clip "
        f"of {clip_s:g} s."
    )


TABLE = Table(
    name="leaderboard",
    columns=(
        Column("tagging", "map"),
        Column("frame", "f1"),
        Column("event", "f1"),
        Column("mask", "f1"),
        Column("separation", "si_sdr_improvement"),
        Column("separation", "capi_sdri", "predicted_tags"),
        Column("event", "psds1", "ungated", has_interval=False),
        Column("event", "psds2", "ungated", has_interval=False),
    ),
    arrangement="leaderboard",
    caption=_caption,
)
