"""Event-based scores with sed_eval, the toolbox that TASLP used (V-B)."""

import warnings

import numpy as np

with warnings.catch_warnings():
    # dcase_util still imports pkg_resources, which says so each time; setuptools is pinned for it.
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    import sed_eval

# sed_eval divides by the number of references plus this; without any, its error rate is absurd.
_FIELDS = {
    "f1": ("f_measure", "f_measure"),
    "precision": ("f_measure", "precision"),
    "recall": ("f_measure", "recall"),
    "er": ("error_rate", "error_rate"),
    "deletion": ("error_rate", "deletion_rate"),
    "insertion": ("error_rate", "insertion_rate"),
    "substitution": ("error_rate", "substitution_rate"),
}


def _sed_eval_events(events, filename):
    return [
        {"filename": filename, "event_label": label, "onset": onset_s, "offset": offset_s}
        for label, onset_s, offset_s in events
    ]


def score_events(reference, estimated, *, classes, collar_s, offset_fraction):
    """Score detected events against the reference, clip by clip.

    Parameters
    ----------
    reference : dict of str to list of (label, onset_s, offset_s)
        Every clip that is scored, those without events too.
    estimated : dict, likewise
        A clip that is not in it has no detections.
    classes : sequence of str
    collar_s : float
        Allowed difference of onsets.
    offset_fraction : float
        Offsets may differ by `collar_s` or by this fraction of the reference's length, whichever
        is larger.

    Returns
    -------
    by_class : dict of str to np.ndarray [shape=(n_classes,)]
        f1, precision, recall, er, deletion, insertion; NaN for a class without reference. A
        class that was never found has an F1 of zero.
    overall : dict of str to float
        The same over all events regardless of class, with substitution (TASLP eq. 10).
    n_reference : np.ndarray [shape=(n_classes,), dtype=int64]
    """
    metrics = sed_eval.sound_event.EventBasedMetrics(
        event_label_list=list(classes),
        t_collar=collar_s,
        percentage_of_length=offset_fraction,
        empty_system_output_handling="zero_score",
        event_matching_type="optimal",
    )
    for clip, events in reference.items():
        metrics.evaluate(
            reference_event_list=_sed_eval_events(events, clip),
            estimated_event_list=_sed_eval_events(estimated.get(clip, []), clip),
        )
    results = metrics.results_class_wise_metrics()
    n_reference = np.array(
        [
            sum(label == k for events in reference.values() for label, _, _ in events)
            for k in classes
        ],
        dtype=np.int64,
    )
    by_class = {}
    for name, (group, field) in _FIELDS.items():
        if name == "substitution":  # only defined across classes
            continue
        values = np.array([results[label][group][field] for label in classes], dtype=float)
        by_class[name] = np.where(n_reference > 0, values, np.nan)
    whole = metrics.results_overall_metrics()
    overall = {name: float(whole[group][field]) for name, (group, field) in _FIELDS.items()}
    return by_class, overall, n_reference
