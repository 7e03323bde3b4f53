"""What each system achieves in every task, and what it costs."""

from tfseg.reporting.tables.declaration import Column, Table


def _caption(clip_s, n_resamples):
    return (
        "Leaderboard: means over SNRs and repeats, the clips of all held-out folds as one set, "
        f"in brackets 95 % intervals of {n_resamples} resamples of the clips. Tags, frames, events "
        "and masks at the fixed thresholds; PSDS of frame scores as they are; SI-SDRi with oracle "
        "tags, CAPI-SDRi with predicted ones. A dash: the system or the corpus has none, or the "
        "package for PSDS is not installed. MMAC are millions of multiply-accumulates for a clip "
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
