"""Each system beside a probe that knows only the time (`tfseg.evaluation.onset_prior`)."""

from tfseg.reporting.tables.declaration import Column, Table

_PROBED = (("frame", "f1"), ("frame", "map"), ("event", "f1"))
# By variant of metrics.csv, what stands behind a heading.
_VARIANTS = {"published": "", "time_index": " of the probe"}


def _caption(layout):
    settings = layout.metric_settings
    return (
        "What the time explains: mean over folds ± standard deviation over folds. The probe hears nothing: "
        "it knows the system's tags of a mixture, and how often a class that is in a mixture sounds in each "
        "frame of those trained on. What a system has beyond it, it has from listening "
        f"(tags above {settings.tag_threshold}, frames above {settings.frame_threshold}; events with a collar "
        f"of {settings.collar_s} s)."
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
