"""F1 of the four tasks with fixed thresholds, and with thresholds tuned on validation clips."""

from tfseg.reporting.tables.declaration import Column, Table


def _caption(layout):
    where = "" if layout.by_class_snr_db is None else " by SNR"
    return (
        f"Thresholds tuned on validation clips{where}: mean F1 over folds ± standard deviation "
        "over folds, with the fixed thresholds of the other tables and (tuned) with the best "
        "thresholds of each class on validation clips, which are neither trained on nor scored. "
        "A dash: not tuned."
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
