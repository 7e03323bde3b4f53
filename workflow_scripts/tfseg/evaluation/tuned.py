"""Scores with thresholds tuned on validation clips; each fold uses its own model's thresholds."""

from dataclasses import dataclass, replace

import numpy as np

from tfseg.evaluation.event_based import EventCounts, count_events_by_fold, event_scores
from tfseg.evaluation.scoring import class_rows, frame_histograms, join_folds, precision_recall_f1

VARIANT = "tuned"


@dataclass(frozen=True)
class TunedCounts:
    """Counts for tuned scores; counts of several folds can be added.

    Attributes
    ----------
    units : dict of str to np.ndarray [shape=(3, n_classes), dtype=int64]
        By task (tagging, frame, mask; only those with a reference): units above the threshold,
        positive units, and units that are both.
    events : EventCounts or None
    """

    units: dict
    events: EventCounts | None = None

    def __add__(self, other):
        if self.events is None or other.events is None:
            events = self.events or other.events
        else:
            events = self.events + other.events
        tasks = dict.fromkeys([*self.units, *other.units])
        units = {
            task: sum(of.units[task] for of in (self, other) if task in of.units) for task in tasks
        }
        return TunedCounts(units, events)


def _above(histogram, threshold):
    n_predicted, n_hit = histogram.above(threshold)
    return np.stack([n_predicted, histogram.n_positive, n_hit])


def count_tuned(fold, detection, metric_settings, events=None):
    """Count one fold with the thresholds of its model.

    Parameters
    ----------
    fold : tfseg.evaluation.scoring.FoldScores
    detection : tfseg.inference.operating_point.DetectionSettings
    metric_settings : tfseg.evaluation.records.MetricSettings
    events : EventCounts or None
        Counts of the events detected with these settings.
    """
    tag_threshold = np.asarray(detection.tag_threshold, dtype=fold.tags.dtype)
    above = fold.tags > tag_threshold
    hits = (above & fold.target).sum(axis=0)
    units = {"tagging": np.stack([above.sum(axis=0), fold.target.sum(axis=0), hits])}
    if fold.reference:
        gate = replace(metric_settings, tag_threshold=tag_threshold)
        histogram = frame_histograms(fold, gate)[metric_settings.tag_gate]
        units["frame"] = _above(histogram, detection.frame_threshold)
    if fold.masks is not None:
        units["mask"] = _above(fold.masks, detection.mask_threshold)
    return TunedCounts(units, events)


def tuned_rows(counts, classes):
    """Rows of `tfseg.evaluation.scoring.fold_rows` that depend on thresholds, variant ``tuned``."""
    rows = []
    for task, (predicted, positive, hit) in counts.units.items():
        precision, recall, f1 = precision_recall_f1(predicted, positive, hit)
        values = {"f1": f1, "precision": precision, "recall": recall}
        rows += class_rows(task, VARIANT, classes, values, positive)
    if counts.events is not None:
        by_class, _, n_reference = event_scores(counts.events)
        rows += class_rows("event", VARIANT, classes, by_class, n_reference)
    return rows


def score_tuned(folds, detections, classes, settings, *, processes=1, **names):
    """Compute the tuned metrics of one system at one SNR with one seed.

    Parameters
    ----------
    folds : dict of int to tfseg.evaluation.scoring.FoldScores
        With ``estimated`` detected with the tuned settings.
    detections : dict of int to tfseg.inference.operating_point.DetectionSettings
    classes : sequence of str
    settings : tfseg.evaluation.records.MetricSettings
    processes : int
        The result does not depend on it.
    **names
        ``snr_db, system, seed`` of `tfseg.evaluation.scoring.join_folds`.

    Returns
    -------
    metrics : pd.DataFrame
        As `tfseg.evaluation.scoring.score_system` returns.
    """
    events = count_events_by_fold(
        {name: (fold.reference, fold.estimated) for name, fold in folds.items() if fold.reference},
        classes=classes,
        collar_s=settings.collar_s,
        offset_fraction=settings.offset_fraction,
        processes=processes,
    )
    counts = {
        name: count_tuned(fold, detections[name], settings, events.get(name))
        for name, fold in folds.items()
    }
    first, *others = counts.values()
    pooled = sum(others, first)
    return join_folds(
        {name: tuned_rows(of_fold, classes) for name, of_fold in counts.items()},
        tuned_rows(pooled, classes),
        **names,
    )
