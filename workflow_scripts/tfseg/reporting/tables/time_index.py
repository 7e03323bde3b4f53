"""Each system beside the onset prior, a probe without sound (`tfseg.evaluation.onset_prior`)."""

from tfseg.reporting.tables.declaration import Column, Table

_PROBED = (("frame", "f1"), ("frame", "map"), ("event", "f1"))
# Text after a heading, by variant of metrics.csv.
_VARIANTS = {"published": "", "time_index": " of the probe"}


def _caption(layout):
    settings = layout.metric_settings
    return (
        "Onset prior: mean over folds ± standard deviation over folds. The probe does not use "
        "sound. It knows the system's tags of a mixture, and how often each class is active in each "
        "frame of the training mixtures with that class. Only where a system exceeds the probe, its "
        "scores show that it locates sounds "
        f"(tags above {settings.tag_threshold}, frames above {settings.frame_threshold}; events "
        f"with a collar of {settings.collar_s} s)."
    )


TABLE = Table(
    name="time_index",
    columns=tuple(
        Column(task, metric, variant, before=f"{task} ", behind=behind)
        for task, metric in _PROBED
        for variant, behind in _VARIANTS.items()
    ),
    arrangement="by_system",
    caption=_caption,
    names_task=True,
)
