"""Event-based scores with sed_eval, the toolbox that TASLP used (V-B)."""

import concurrent.futures
import itertools
import multiprocessing
import warnings
from dataclasses import dataclass

import numpy as np

# sed_eval divides by the number of references plus this, so its error rate without references is
# meaningless.
_FIELDS = {
    "f1": ("f_measure", "f_measure"),
    "precision": ("f_measure", "precision"),
    "recall": ("f_measure", "recall"),
    "er": ("error_rate", "error_rate"),
    "deletion": ("error_rate", "deletion_rate"),
    "insertion": ("error_rate", "insertion_rate"),
    "substitution": ("error_rate", "substitution_rate"),
}
# A process takes about a second to load sed_eval, and counts this many clips in about three. The
# distribution over processes changes no result: counts are integers, and their sums exact.
CLIPS_FOR_PROCESSES = 4000
_CLIPS_PER_TASK = 250


@dataclass(frozen=True)
class EventCounts:
    """sed_eval's counts of events, from which its scores follow; counts of clip sets can be added.

    Attributes
    ----------
    by_class : dict of str to dict of str to float
        In the order of the classes: sed_eval's ``class_wise`` (Nref, Nsys, Ntp, Nfp, Nfn).
    overall : dict of str to float
        All events regardless of class: sed_eval's ``overall``, with Nsubs.
    """

    by_class: dict
    overall: dict

    def __add__(self, other):
        return EventCounts(
            {label: _sum(counts, other.by_class[label]) for label, counts in self.by_class.items()},
            _sum(self.overall, other.overall),
        )


def _sum(counts, others):
    return {name: count + others[name] for name, count in counts.items()}


def _evaluator(classes, **settings):
    with warnings.catch_warnings():
        # dcase_util still imports pkg_resources, which warns; setuptools is pinned for it.
        warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
        import sed_eval  # here: it takes half a second, and few scripts need it

    return sed_eval.sound_event.EventBasedMetrics(
        event_label_list=list(classes), empty_system_output_handling="zero_score", **settings
    )


def _sed_eval_events(events, filename):
    return [
        {"filename": filename, "event_label": label, "onset": onset_s, "offset": offset_s}
        for label, onset_s, offset_s in events
    ]


def count_events(reference, estimated, *, classes, collar_s, offset_fraction):
    """Count hits and errors of detected events against the reference, clip by clip.

    Parameters
    ----------
    reference : dict of str to list of (label, onset_s, offset_s)
        Every scored clip, also those without events.
    estimated : dict, likewise
        A clip that is missing has no detections.
    classes : sequence of str
    collar_s : float
        Allowed difference of onsets.
    offset_fraction : float
        Allowed difference of offsets as a fraction of the reference's length, if larger than
        `collar_s`.

    Returns
    -------
    counts : EventCounts
    """
    metrics = _evaluator(
        classes,
        t_collar=collar_s,
        percentage_of_length=offset_fraction,
        event_matching_type="optimal",
    )
    for _ in _evaluate(metrics, reference, estimated, classes):
        pass
    return EventCounts(metrics.class_wise, metrics.overall)


def _evaluate(metrics, reference, estimated, classes):
    """Let sed_eval count clip by clip; yield each clip's number, and the classes in it."""
    for index, (clip, events) in enumerate(reference.items()):
        found = estimated.get(clip, [])
        # sed_eval loops over every class of its list, and adds zeros for absent ones. With all 41
        # classes, that is most of its time.
        occurring = {label for label, _, _ in itertools.chain(events, found)}
        metrics.event_label_list = [label for label in classes if label in occurring]
        metrics.evaluate(
            reference_event_list=_sed_eval_events(events, clip),
            estimated_event_list=_sed_eval_events(found, clip),
        )
        yield index, occurring


def count_events_by_clip(reference, estimated, *, classes, collar_s, offset_fraction):
    """Count as `count_events` does, separately for every clip.

    Returns
    -------
    predicted, reference, hit : np.ndarray [shape=(n_clips, n_classes), dtype=int64]
        In the order of `reference`.
    """
    metrics = _evaluator(
        classes,
        t_collar=collar_s,
        percentage_of_length=offset_fraction,
        event_matching_type="optimal",
    )
    column = {label: k for k, label in enumerate(classes)}
    counts = np.zeros((3, len(reference), len(classes)), dtype=np.int64)
    before = np.zeros((3, len(classes)), dtype=np.int64)
    for index, occurring in _evaluate(metrics, reference, estimated, classes):
        for k in map(column.get, occurring):
            of_class = metrics.class_wise[classes[k]]
            total = [of_class[name] for name in ("Nsys", "Nref", "Ntp")]
            counts[:, index, k] = total - before[:, k]
            before[:, k] = total
    return tuple(counts)


def _count_task(task, settings):
    return count_events(*task, **settings)


def count_events_by_fold(folds, *, processes=1, **settings):
    """Count the events of several folds; many clips are distributed over processes.

    Parameters
    ----------
    folds : dict of int to (reference, estimated)
        As `count_events` takes them.
    processes : int
        Upper limit; fewer than `CLIPS_FOR_PROCESSES` clips are counted in the calling process.
    **settings
        ``classes, collar_s, offset_fraction`` of `count_events`.

    Returns
    -------
    counts : dict of int to EventCounts
        The same whatever the number of processes.
    """
    owners, tasks = [], []
    for fold, (reference, estimated) in folds.items():
        clips = list(reference)
        for first in range(0, max(len(clips), 1), _CLIPS_PER_TASK):
            part = clips[first : first + _CLIPS_PER_TASK]
            owners.append(fold)
            tasks.append(
                (
                    {clip: reference[clip] for clip in part},
                    {clip: estimated[clip] for clip in part if clip in estimated},
                )
            )
    if processes == 1 or sum(len(reference) for reference, _ in tasks) < CLIPS_FOR_PROCESSES:
        parts = [_count_task(task, settings) for task in tasks]
    else:
        context = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(processes, mp_context=context) as workers:
            parts = list(workers.map(_count_task, tasks, itertools.repeat(settings)))
    counts = {}
    for fold, part in zip(owners, parts, strict=True):
        counts[fold] = counts[fold] + part if fold in counts else part
    return counts


def event_scores(counts):
    """Scores of counted events.

    Parameters
    ----------
    counts : EventCounts

    Returns
    -------
    by_class : dict of str to np.ndarray [shape=(n_classes,)]
        f1, precision, recall, er, deletion, insertion; NaN for a class without reference. A class
        that was never detected has an F1 of zero.
    overall : dict of str to float
        The same over all events regardless of class, and substitution (TASLP eq. 10).
    n_reference : np.ndarray [shape=(n_classes,), dtype=int64]
    """
    metrics = _evaluator(counts.by_class)
    metrics.class_wise, metrics.overall = counts.by_class, counts.overall
    results = metrics.results_class_wise_metrics()
    n_reference = np.array([c["Nref"] for c in counts.by_class.values()], dtype=np.int64)
    by_class = {}
    for name, (group, field) in _FIELDS.items():
        if name == "substitution":  # only defined across classes
            continue
        values = np.array([of_class[group][field] for of_class in results.values()], dtype=float)
        by_class[name] = np.where(n_reference > 0, values, np.nan)
    whole = metrics.results_overall_metrics()
    overall = {name: float(whole[group][field]) for name, (group, field) in _FIELDS.items()}
    return by_class, overall, n_reference
