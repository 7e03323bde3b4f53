"""TASLP Tables II to IX: each task by SNR, and its F1 by class."""

from tfseg.evaluation.metric import TASKS
from tfseg.reporting.tables.declaration import Column, Table
from tfseg.snr import snr_name

# Metrics by SNR, and the paper's numbers of the tables by SNR and by class.
_TASKS = {
    "tagging": (("f1", "auc", "map"), "II", "III"),
    "frame": (("f1", "auc", "map"), "V", "IV"),
    "event": (("f1", "er", "deletion", "insertion"), "VI", "VII"),
    "mask": (("f1", "auc", "map"), "IX", "VIII"),
}


def _conventions(task, settings):
    """Describe what was measured, and the fixed settings."""
    return {
        "tagging": f"clips, threshold {settings.tag_threshold}",
        "frame": f"frames, threshold {settings.frame_threshold}, "
        + ("zero where the tag is not positive" if settings.tag_gate else "not gated by tags"),
        "event": f"events, collar {settings.collar_s} s, offset {settings.offset_fraction:.0%}, "
        f"{settings.error_rate.replace('_', '-')} error rate",
        "mask": f"T-F units against the ideal binary mask, threshold {settings.mask_threshold}",
    }[task]


def _caption(task, by):
    def caption(layout):
        where = f" by class, {snr_name(layout.by_class_snr_db)}, F1"
        if by == "snr":
            where = "" if layout.by_class_snr_db is None else " by SNR"
        return (
            f"{TASKS[task].title}{where}: mean over folds ± standard deviation over folds "
            f"({_conventions(task, layout.metric_settings)})."
        )

    return caption


def _tables(task, metrics, number_by_snr, number_by_class):
    for by, shown, number in (
        ("snr", metrics, number_by_snr),
        ("class", ("f1",), number_by_class),
    ):
        yield Table(
            name=f"{task}_by_{by}",
            columns=tuple(Column(task, metric) for metric in shown),
            arrangement=f"by_{by}",
            caption=_caption(task, by),
            paper=("tfseg2019", number),
        )


TABLES = [table for task, facts in _TASKS.items() for table in _tables(task, *facts)]
