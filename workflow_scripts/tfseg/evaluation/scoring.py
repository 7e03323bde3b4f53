"""All metrics of one system at one SNR: by class and macro, per fold, mean and pooled."""

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tfseg.evaluation.event_based import EventCounts, count_events_by_fold, event_scores
from tfseg.evaluation.onset_prior import VARIANT as TIME_INDEX
from tfseg.evaluation.onset_prior import ProbeCounts, TimeProbe, count_probe
from tfseg.evaluation.records import COLUMNS
from tfseg.features.feature_set import read_ragged
from tfseg.inference.histogram import ScoreHistogram, ScoreRanks
from tfseg.io.files import read_description, reading_hdf5
from tfseg.job.seeding import generator

_SHUFFLES = 20


@dataclass(frozen=True)
class FoldScores:
    """Scores and references of one held-out fold.

    Attributes
    ----------
    mixtures : list of str
    tags : np.ndarray [shape=(n, n_classes), dtype=float32]
    target : np.ndarray [shape=(n, n_classes), dtype=bool]
    frames : sequence of np.ndarray [shape=(n_frames, n_classes), dtype=float16]
        One for each clip.
    strong : sequence of np.ndarray [shape=(n_frames, n_classes), dtype=bool]
    reference, estimated : dict of str to list of (label, onset_s, offset_s)
        `reference` holds only the clips with known event times; frames and events are scored on
        these only.
    masks : ScoreHistogram or None
        None where there are no ideal masks.
    mask_predicted, mask_hit : np.ndarray [shape=(n_classes,)] or None
    probe : TimeProbe or None
        None for clips that were not mixed here, since there is no plan of their events.
    """

    mixtures: list
    tags: np.ndarray
    target: np.ndarray
    frames: Sequence
    strong: Sequence
    reference: dict
    estimated: dict
    masks: ScoreHistogram | None = None
    mask_predicted: np.ndarray | None = None
    mask_hit: np.ndarray | None = None
    probe: TimeProbe | None = None

    @classmethod
    def from_scores(cls, mixtures, tags, target, frames, labels, *, classes, grid, **rest):
        """Build the references for given scores.

        Parameters
        ----------
        mixtures, tags, target, frames
            As the attributes; `target` of any dtype.
        labels : dict
            Clip to list of (label, onset_s, offset_s), for every clip with known event times.
        classes : sequence of str
        grid : tfseg.features.time_grid.TimeGrid
        **rest
            Further attributes; without `estimated` there are no events.
        """
        reference = {name: labels[name] for name in mixtures if name in labels}
        strong = [
            grid.strong_labels(reference.get(name, []), classes, len(clip))
            for name, clip in zip(mixtures, frames, strict=True)
        ]
        rest = {"estimated": {}} | rest
        return cls(mixtures, tags, target.astype(bool), frames, strong, reference, **rest)

    @classmethod
    def of_features(cls, features, tags, frames, counter, labels):
        """Build the references of scores that were just inferred.

        Parameters
        ----------
        features : tfseg.features.feature_set.FeatureSet
        tags, frames, counter
            As `tfseg.inference.forward.infer` returns.
        labels : dict
            As `from_scores` takes it.
        """
        return cls.from_scores(
            features.mixture,
            tags,
            features.target,
            frames,
            labels,
            classes=features.classes,
            grid=features.grid,
            masks=counter.result()[0] if counter else None,
        )


def read_fold_scores(scores_path, counts_path, estimated, labels, grid):
    """Read one fold's scores and build its references.

    Parameters
    ----------
    scores_path, counts_path : path-like
    estimated : dict
        As `tfseg.inference.events.read_events` returns.
    labels : dict
        Clip to list of (label, onset_s, offset_s), for every clip with known event times.
    grid : tfseg.features.time_grid.TimeGrid

    Returns
    -------
    scores : FoldScores
    classes : tuple of str
    """
    with reading_hdf5(scores_path) as file:
        mixtures = [name.decode() for name in file["mixture"][:]]
        tags, target = file["tags"][:], file["target"][:]
        frames = read_ragged(file, "frames")
        classes = tuple(read_description(file)["classes"])
    scores = FoldScores.from_scores(
        mixtures, tags, target, frames, labels, classes=classes, grid=grid, estimated=estimated
    )
    with reading_hdf5(counts_path) as file:
        if file.attrs["has_counts"]:
            scores = replace(
                scores,
                masks=ScoreHistogram(file["total"][:], file["positive"][:]),
                mask_predicted=file["predicted"][:],
                mask_hit=file["hit"][:],
            )
    return scores, classes


@dataclass(frozen=True)
class FoldCounts:
    """Counts for the metrics of one held-out fold, or of several pooled folds.

    Attributes
    ----------
    mixtures, tags, target
        As in `FoldScores`: tags are few, and are kept uncounted.
    frames : dict of bool to ScoreHistogram, or None
        Raw frame scores (False) and gated ones (True: zero in clips whose tag is not positive), of
        the clips with known event times. None where there is no such clip.
    events : EventCounts or None
        None where there is no such clip.
    masks, mask_predicted, mask_hit
        As in `FoldScores`.
    probe : ProbeCounts or None
    """

    mixtures: list
    tags: np.ndarray
    target: np.ndarray
    frames: dict | None = None
    events: EventCounts | None = None
    masks: ScoreHistogram | None = None
    mask_predicted: np.ndarray | None = None
    mask_hit: np.ndarray | None = None
    probe: ProbeCounts | None = None


def count_folds(folds, classes, settings, processes=1):
    """Count frames, events and T-F units over clips.

    Parameters
    ----------
    folds : dict of int to FoldScores
    classes : sequence of str
    settings : MetricSettings
    processes : int
        Processes for counting events; the result does not depend on it.

    Returns
    -------
    counts : dict of int to FoldCounts
    """
    timed = {name: fold for name, fold in folds.items() if fold.reference}
    probed = {name: fold for name, fold in timed.items() if fold.probe is not None}
    events = count_events_by_fold(
        {name: (fold.reference, fold.estimated) for name, fold in timed.items()}
        | {(TIME_INDEX, n): (fold.reference, fold.probe.estimated) for n, fold in probed.items()},
        classes=classes,
        collar_s=settings.collar_s,
        offset_fraction=settings.offset_fraction,
        processes=processes,
    )
    return {
        name: FoldCounts(
            mixtures=fold.mixtures,
            tags=fold.tags,
            target=fold.target,
            frames=frame_histograms(fold, settings) if fold.reference else None,
            events=events.get(name),
            masks=fold.masks,
            mask_predicted=fold.mask_predicted,
            mask_hit=fold.mask_hit,
            probe=count_probe(
                fold.probe,
                fold.tags,
                fold.strong,
                events[TIME_INDEX, name],
                tag_threshold=settings.tag_threshold,
                tag_gate=settings.tag_gate,
            )
            if name in probed
            else None,
        )
        for name, fold in folds.items()
    }


def pool(folds):
    """Join the counts of several folds into those of one test set.

    Parameters
    ----------
    folds : sequence of FoldCounts
    """
    pooled = FoldCounts(
        mixtures=[name for fold in folds for name in fold.mixtures],
        tags=np.concatenate([fold.tags for fold in folds]),
        target=np.concatenate([fold.target for fold in folds]),
    )
    timed = [fold for fold in folds if fold.events is not None]
    if timed:
        pooled = replace(
            pooled,
            frames={gate: _total(fold.frames[gate] for fold in timed) for gate in (False, True)},
            events=_total(fold.events for fold in timed),
        )
    if timed and all(fold.probe is not None for fold in timed):
        pooled = replace(pooled, probe=_total(fold.probe for fold in timed))
    if any(fold.masks is None for fold in folds):
        return pooled
    return replace(
        pooled,
        masks=_total(fold.masks for fold in folds),
        mask_predicted=_total(fold.mask_predicted for fold in folds),
        mask_hit=_total(fold.mask_hit for fold in folds),
    )


def _total(counts):
    return functools.reduce(operator.add, counts)


def precision_recall_f1(predicted, reference, hit):
    """Precision, recall and F1 from counts (TASLP eq. 8 and 9).

    Parameters
    ----------
    predicted, reference, hit : np.ndarray [shape=(n_classes,)]
        Units above the threshold, positive units, and units that are both.

    Returns
    -------
    precision, recall, f1 : np.ndarray [shape=(n_classes,)]
        NaN for a class without reference; zero without hits.
    """
    predicted, reference, hit = (
        np.asarray(v, dtype=np.float64) for v in (predicted, reference, hit)
    )
    has_reference = reference > 0

    def ratio(numerator, denominator):
        value = np.divide(
            numerator, denominator, out=np.zeros(len(numerator)), where=denominator > 0
        )
        return np.where(has_reference, value, np.nan)

    return ratio(hit, predicted), ratio(hit, reference), ratio(2 * hit, predicted + reference)


def _tag_metrics(above, counts, target):
    precision, recall, f1 = precision_recall_f1(
        above.sum(axis=0), target.sum(axis=0), (above & target).sum(axis=0)
    )
    values = {"f1": f1, "precision": precision, "recall": recall}
    values["auc"], values["map"] = counts.auc(), counts.average_precision()
    return values


def tagging_metrics(fold, settings):
    """Clip tagging (TASLP Tables II and III): values and number of positives of each class."""
    above = fold.tags > np.asarray(settings.tag_threshold, dtype=fold.tags.dtype)
    values = _tag_metrics(above, ScoreRanks(fold.tags).counts(fold.target), fold.target)
    return values, fold.target.sum(axis=0)


def shuffled_tagging_metrics(fold, settings, rng):
    """Chance level of clip tagging: scores shuffled between clips, mean of 20 shuffles."""
    above = fold.tags > np.asarray(settings.tag_threshold, dtype=fold.tags.dtype)
    ranks = ScoreRanks(fold.tags)
    deals = []
    for _ in range(_SHUFFLES):
        order = rng.permutation(len(fold.tags))
        deals.append(_tag_metrics(above[order], ranks.counts(fold.target, order), fold.target))
    values = {name: np.mean([deal[name] for deal in deals], axis=0) for name in deals[0]}
    return values, fold.target.sum(axis=0)


def frame_histograms(fold, settings):
    """Count the frame scores of the clips with known event times.

    Parameters
    ----------
    fold : FoldScores
    settings : MetricSettings

    Returns
    -------
    histograms : dict of bool to ScoreHistogram
        Raw (False), and gated by the clips' tags (True).
    """
    known = [i for i, name in enumerate(fold.mixtures) if name in fold.reference]
    frames = np.concatenate([fold.frames[i] for i in known])
    strong = np.concatenate([fold.strong[i] for i in known])
    has_tag = fold.tags[known] > settings.tag_threshold
    kept = np.repeat(has_tag, [len(fold.frames[i]) for i in known], axis=0)
    return {
        False: ScoreHistogram.of(frames, strong),
        True: ScoreHistogram.of(frames, strong, kept),
    }


def frame_metrics(histogram, settings):
    """Frame-wise detection (TASLP Tables IV and V)."""
    n_predicted, n_hit = histogram.above(settings.frame_threshold)
    precision, recall, f1 = precision_recall_f1(n_predicted, histogram.n_positive, n_hit)
    values = {"f1": f1, "precision": precision, "recall": recall}
    values["auc"], values["map"] = histogram.auc(), histogram.average_precision()
    values["eer"] = histogram.equal_error_rate()
    return values, histogram.n_positive


def probe_metrics(counts, settings):
    """Frame-wise detection by the onset prior (`tfseg.evaluation.onset_prior`)."""
    values, n_positive = frame_metrics(counts.at_threshold, settings)
    ranked, _ = frame_metrics(counts.ranked, settings)
    return values | {name: ranked[name] for name in ("auc", "map", "eer")}, n_positive


def mask_metrics(fold):
    """T-F masks against ideal binary masks (TASLP Tables VIII and IX); not gated, as released."""
    n_positive = fold.masks.n_positive
    precision, recall, f1 = precision_recall_f1(fold.mask_predicted, n_positive, fold.mask_hit)
    values = {"f1": f1, "precision": precision, "recall": recall}
    values["auc"], values["map"] = fold.masks.auc(), fold.masks.average_precision()
    return values, n_positive


def f1_curves(fold, settings, thresholds):
    """Compute macro F1 as a function of the threshold, for all tasks with a reference.

    Parameters
    ----------
    fold : FoldScores
    settings : MetricSettings
    thresholds : np.ndarray

    Returns
    -------
    curves : dict of str to np.ndarray [shape=(n_thresholds,)]
        ``tagging``, ``frame`` (gated by tags as published) and ``mask``.
    """
    histograms = {"tagging": ScoreHistogram.of(fold.tags.astype(np.float16), fold.target)}
    if fold.reference:
        histograms["frame"] = frame_histograms(fold, settings)[settings.tag_gate]
    if fold.masks is not None:
        histograms["mask"] = fold.masks
    return {
        task: np.nanmean(histogram.f1(thresholds)[histogram.n_positive > 0], axis=0)
        for task, histogram in histograms.items()
    }


def macro(values):
    """Return the mean over the classes that have a value, and the number of these classes."""
    known = values[~np.isnan(values)]
    return (float(known.mean()) if len(known) else float("nan")), len(known)


def class_rows(task, variant, classes, values, n_positive):
    """Build the rows of metrics, as `fold_rows` returns them: every class, and the mean."""
    rows = []
    for metric, by_class in values.items():
        rows += [
            (task, metric, label, variant, value, int(n))
            for label, value, n in zip(classes, by_class, n_positive, strict=True)
        ]
        rows.append((task, metric, "macro", variant, *macro(by_class)))
    return rows


def fold_rows(fold, classes, settings):
    """Compute all metrics of one fold (or of pooled folds).

    Parameters
    ----------
    fold : FoldCounts
    classes : sequence of str
    settings : MetricSettings

    Returns
    -------
    rows : list of (task, metric, class, variant, value, n)
        ``n`` counts the positive units (clips, frames, events, T-F units) of a class, and for
        ``macro`` the averaged classes. Variants: ``published``; for tags ``shuffled`` (chance
        level); for frames ``ungated`` or ``gated``, whichever is not published; for events
        ``overall`` (all events regardless of class); for frames and events ``time_index`` (the
        onset prior). There are no rows for a task without any reference.
    """
    rows = class_rows("tagging", "published", classes, *tagging_metrics(fold, settings))
    chance = shuffled_tagging_metrics(fold, settings, generator(0, "shuffled", *fold.mixtures[:1]))
    rows += class_rows("tagging", "shuffled", classes, *chance)
    if fold.frames is not None:
        variants = {settings.tag_gate: "published"}
        variants[not settings.tag_gate] = "ungated" if settings.tag_gate else "gated"
        for gate, variant in variants.items():
            values = frame_metrics(fold.frames[gate], settings)
            rows += class_rows("frame", variant, classes, *values)
    if fold.events is not None:
        by_class, overall, n_reference = event_scores(fold.events)
        rows += class_rows("event", "published", classes, by_class, n_reference)
        rows += [
            ("event", metric, "macro", "overall", value, int((n_reference > 0).sum()))
            for metric, value in overall.items()
        ]
    if fold.probe is not None:
        values = probe_metrics(fold.probe, settings)
        rows += class_rows("frame", TIME_INDEX, classes, *values)
        by_class, _, n_reference = event_scores(fold.probe.events)
        rows += class_rows("event", TIME_INDEX, classes, by_class, n_reference)
    if fold.masks is not None:
        rows += class_rows("mask", "published", classes, *mask_metrics(fold))
    return rows


def join_folds(per_fold, pooled, *, snr_db, system, seed):
    """Join rows of each fold into tidy metrics, with the mean over folds and the pooled rows.

    Parameters
    ----------
    per_fold : dict of int to list of rows
        As `fold_rows` returns them.
    pooled : list of rows
    snr_db : float
    system : str
    seed : int

    Returns
    -------
    metrics : pd.DataFrame
        As `score_system` returns.
    """
    columns = ["task", "metric", "class", "variant", "value", "n"]
    parts = [
        pd.DataFrame(rows, columns=columns).assign(fold=str(fold))
        for fold, rows in per_fold.items()
    ]
    per_fold = pd.concat(parts, ignore_index=True)
    keys = ["task", "metric", "class", "variant"]
    grouped = per_fold.groupby(keys, sort=False, as_index=False)
    mean = grouped.agg(value=("value", "mean"), n=("n", "sum"))
    # For macro rows n counts classes, which must not be summed over folds.
    most = grouped.agg(n=("n", "max"))["n"]
    mean["n"] = mean["n"].where(mean["class"] != "macro", most)
    pooled = pd.DataFrame(pooled, columns=columns).assign(fold="pooled")
    metrics = pd.concat([per_fold, mean.assign(fold="all"), pooled], ignore_index=True)
    return metrics.assign(snr_db=snr_db, system=system, seed=seed)[COLUMNS]


def score_system(folds, classes, settings, *, snr_db, system, seed, processes=1):
    """Compute the metrics of one system at one SNR with one seed.

    Parameters
    ----------
    folds : dict of int to FoldScores
    classes : sequence of str
    settings : MetricSettings
    snr_db : float
        NaN for clips that were not mixed here.
    system : str
    seed : int
        Number of the repeat.
    processes : int
        The result does not depend on it.

    Returns
    -------
    metrics : pd.DataFrame
        Columns `COLUMNS`; fold is a number, ``all`` (mean of the folds that have a value) or
        ``pooled`` (all clips scored as one set).
    """
    counts = count_folds(folds, classes, settings, processes)
    per_fold = {name: fold_rows(fold, classes, settings) for name, fold in counts.items()}
    pooled = fold_rows(pool(list(counts.values())), classes, settings)
    return join_folds(per_fold, pooled, snr_db=snr_db, system=system, seed=seed)
