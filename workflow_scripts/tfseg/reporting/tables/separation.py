"""ICASSP 2018, Table 1: separation with masks, with the mixture and ideal masks as references."""

from tfseg.reporting.tables.declaration import Column, Table

_METRICS = (
    "sdr",
    "sir",
    "sar",
    "si_sdr",
    "sdr_improvement",
    "si_sdr_improvement",
    "silent_estimates",
)


def _caption(layout):
    drawn = (
        "all mixtures"
        if layout.n_separated is None
        else f"{layout.n_separated} mixtures of each fold, drawn at random"
    )
    return (
        "Separation in dB, whole clip, oracle tags: mean over folds ± standard "
        f"deviation over folds ({drawn}). no_separation is the unprocessed mixture; it has no "
        "artefacts, so its SAR is rounding error. ibm and irm are the ideal binary and ratio "
        "masks. silent counts silent estimates, which have no score and are left out of the means."
    )


TABLE = Table(
    name="separation",
    columns=tuple(Column("separation", metric) for metric in _METRICS),
    arrangement="by_system",
    caption=_caption,
    paper=("jsc2018", "1"),
    by_class_columns=3,
    reference_rows=("no_separation", "ibm", "irm"),
    only_mask_systems=True,
)
