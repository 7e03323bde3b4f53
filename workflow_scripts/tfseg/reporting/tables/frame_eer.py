"""ICASSP 2018, Table 2: equal error rates of frame scores."""

from tfseg.reporting.tables.declaration import Column, Table


def _caption(layout):
    return "Frame-wise equal error rate: mean over folds ± standard deviation over folds."


TABLE = Table(
    name="frame_eer",
    columns=(Column("frame", "eer"),),
    arrangement="by_system",
    caption=_caption,
    paper=("jsc2018", "2"),
    by_class_columns=1,
)
