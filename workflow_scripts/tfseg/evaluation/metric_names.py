"""Every metric of ``metrics.csv``, with its name in tables, figures, report and docs.

A metric of scored clips that has its own file is declared in that file, and listed in
`OWN_METRICS` (``docs/how-to/add_a_metric.md``).
"""

from tfseg.evaluation import micro_average_precision
from tfseg.evaluation.metric import Metric

# Modules with `METRIC` and `by_class` or `of_all`, in the order of their rows in metrics.csv.
OWN_METRICS = [micro_average_precision]

_SCORED = ("tagging", "frame", "event", "mask")
_RANKED = ("tagging", "frame", "mask")


def _decibels(name, heading, description):
    return Metric(
        name, heading, ("separation",), description, low=None, high=None, unit="dB",
        full_difference=5.0,
    )  # fmt: skip


def _error(name, heading, description, axis_label=""):
    return Metric(
        name, heading, ("event",), description, higher_is_better=False, high=None,
        axis_label=axis_label, full_difference=1.0,
    )  # fmt: skip


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "f1", "F1", _SCORED, "harmonic mean of precision and recall at the fixed threshold"
        ),
        Metric("precision", "precision", _SCORED, "share of detections that are correct"),
        Metric("recall", "recall", _SCORED, "share of the reference that is detected"),
        Metric("auc", "AUC", _RANKED, "area under the ROC curve; 0.5 is chance"),
        Metric("map", "mAP", _RANKED, "average precision of the ranked scores"),
        Metric(
            "eer", "EER", ("frame",), "equal error rate of frame scores", higher_is_better=False
        ),
        _error("er", "ER", "deletions and insertions per reference event", "error rate"),
        _error("deletion", "D", "share of reference events that were not detected"),
        _error("insertion", "I", "false detections per reference event"),
        _error(
            "substitution", "S", "events found as another class, per event; variant `overall` only"
        ),
        Metric(
            "intersection_f1", "int. F1", ("event",),
            "detected events, by the overlap of detections and events (below)",
        ),
        Metric(
            "psds1", "PSDS1", ("event",),
            "scenario 1 (accurate times), from frame scores over all thresholds; variant `ungated`",
        ),
        Metric(
            "psds2", "PSDS2", ("event",),
            "scenario 2 (few confused classes), likewise; variant `ungated`",
        ),
        _decibels("sdr", "SDR", "signal to distortion ratio of BSS Eval"),
        _decibels("sir", "SIR", "signal to interference ratio of BSS Eval"),
        _decibels("sar", "SAR", "signal to artefacts ratio of BSS Eval"),
        _decibels("si_sdr", "SI-SDR", "scale-invariant SDR"),
        _decibels("sdr_improvement", "SDRi", "SDR minus that of the unprocessed mixture"),
        _decibels("si_sdr_improvement", "SI-SDRi", "SI-SDR minus that of the unprocessed mixture"),
        _decibels(
            "capi_sdri", "CAPI-SDRi",
            "improvement of the plain SDR; variant `predicted_tags` (below)",
        ),
        Metric(
            "silent_estimates", "silent", ("separation",),
            "estimates without sound, left out of the means", higher_is_better=False, high=None,
            full_difference=5.0,
        ),
        *(module.METRIC for module in OWN_METRICS),
    )
}  # fmt: skip


def docs_table():
    """Return the table of metrics for the docs.

    Returns
    -------
    text : str
        Markdown.
    """
    lines = ["| metric | task | range | better | what it is |", "|---|---|---|---|---|"]
    for metric in METRICS.values():
        low, high = ("" if v is None else f"{v:g}" for v in (metric.low, metric.high))
        limits = f"{low} to {high}" if high else f"from {low}" if low else "any"
        better = {True: "higher", False: "lower", None: "neither"}[metric.higher_is_better]
        cells = [
            f"`{metric.name}` ({metric.heading})",
            ", ".join(metric.tasks),
            f"{limits} {metric.unit}".strip(),
            better,
            metric.description,
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
