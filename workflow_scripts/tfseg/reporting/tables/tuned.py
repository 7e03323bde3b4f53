"""F1 of the four tasks at the fixed thresholds, and at those chosen on validation clips."""

from tfseg.reporting.tables.declaration import Column, Table


def _caption(layout):
    where = "" if layout.by_class_snr_db is None else " by SNR"
    return (
        f"Thresholds chosen on validation clips{where}: mean F1 over folds ± standard deviation over "
        "folds, at the fixed thresholds of the other tables and (tuned) at those of each class that were "
        "best on clips which are neither trained on nor scored. A dash: nothing was tuned."
    )


TABLE = Table(
    name="tuned_by_snr",
    columns=tuple(
        Column(
            task,
            "f1",
            variant,
            name=f"{task}_f1{ending}",
            before=f"{task} ",
            behind=ending.replace("_", " "),
        )
        for task in ("tagging", "frame", "event", "mask")
        for variant, ending in (("published", ""), ("tuned", "_tuned"))
    ),
    arrangement="by_snr",
    caption=_caption,
    needs_tuning=True,
)
