"""Average precision of all tags together: each pair of clip and class counts alike."""

import numpy as np

from tfseg.evaluation.metric import Metric

METRIC = Metric(
    name="micro_ap",
    heading="micro AP",
    tasks=("tagging",),
    description="average precision of the tags of all classes in one ranking",
)


def of_all(scores, classes, settings):
    """Average precision over all pairs of clip and class, as scikit-learn's `average="micro"`.

    Parameters
    ----------
    scores : tfseg.evaluation.scoring.FoldScores
    classes : sequence of str
    settings : tfseg.evaluation.records.MetricSettings

    Returns
    -------
    value : float
        NaN without any positive tag.
    n_positive : int
        Positive tags.
    """
    tags, target = scores.tags.ravel(), scores.target.ravel()
    n_positive = int(target.sum())
    if n_positive == 0:
        return float("nan"), 0
    order = np.argsort(-tags, kind="stable")
    ranked, hits = tags[order], np.cumsum(target[order])
    # Equal scores are found together.
    last = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
    found = hits[last]
    precision, recall = found / (last + 1), found / n_positive
    return float(np.sum(np.diff(recall, prepend=0.0) * precision)), n_positive
