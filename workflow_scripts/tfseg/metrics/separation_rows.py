"""From the separation scores of single mixtures to tidy metrics, by class and macro."""

import numpy as np
import pandas as pd

from tfseg.metrics.records import COLUMNS

MEASURES = ("sdr", "sir", "sar", "si_sdr")
BASELINE = "no_separation"
_IMPROVED = ("sdr", "si_sdr")
_VARIANT = {"whole": "published", "active": "active_span"}


def read_scores(path):
    """Read the scores of single mixtures; a class may be called NA, or 1."""
    texts = ("mixture", "class", "system", "span")
    return pd.read_csv(
        path,
        dtype=dict.fromkeys(texts, str),
        keep_default_na=False,
        na_values={measure: [""] for measure in MEASURES},
    )


def _with_improvements(scores):
    """Add what each system gains over the mixture as it is, in the same span."""
    keys = ["mixture", "class", "span"]
    before = scores[scores["system"] == BASELINE][[*keys, *_IMPROVED]]
    joined = scores.merge(before, how="left", on=keys, suffixes=("", "_before"))
    for measure in _IMPROVED:
        joined[f"{measure}_improvement"] = joined[measure] - joined.pop(f"{measure}_before")
    return joined


def _mean(values):
    """Mean of the finite values; what is infinite was counted as silent, or is perfect (SAR)."""
    finite = values[np.isfinite(values)]
    if len(finite):
        return float(finite.mean())
    return float(values.max()) if len(values) else np.nan


def separation_rows(scores, classes):
    """Metrics of one fold, SNR and repeat.

    Parameters
    ----------
    scores : pd.DataFrame
        As `tfseg.separating.score_sample` returns.
    classes : sequence of str

    Returns
    -------
    rows : list of (system, metric, class, variant, value, n)
        Variants: ``published`` (whole clip, oracle tags), ``active_span`` (from the class's first
        onset to its last offset), ``predicted_tags`` (improvements over the whole clip, zero for
        a class that was missed and for one that was found but does not sound). ``n`` counts
        mixtures, and for ``macro`` the classes averaged. ``silent_estimates`` counts estimates
        without any sound: they have no finite score, and are left out of the means.
    """
    scores = _with_improvements(scores)
    measures = [*MEASURES, *(f"{measure}_improvement" for measure in _IMPROVED)]
    rows = []
    for system, of_system in scores.groupby("system", sort=False):
        for span, variant in _VARIANT.items():
            part = of_system[(of_system["span"] == span) & (of_system["sounding"] == 1)]
            by_class = {label: part[part["class"] == label] for label in classes}
            for measure in measures:
                values = {
                    label: (_mean(p[measure].to_numpy()), len(p)) for label, p in by_class.items()
                }
                rows += _class_rows(system, measure, variant, values)
            silent = {
                label: (float(np.isneginf(p["si_sdr"]).sum()), len(p))
                for label, p in by_class.items()
            }
            rows += [(system, "silent_estimates", k, variant, *v) for k, v in silent.items()]
            total = sum(count for count, _ in silent.values())
            rows.append((system, "silent_estimates", "macro", variant, total, len(part)))
        if system == BASELINE or system in ("ibm", "irm"):
            continue
        whole = of_system[of_system["span"] == "whole"]
        for measure in _IMPROVED:
            gains = whole[f"{measure}_improvement"].where(
                (whole["sounding"] == 1) & (whole["predicted"] == 1), 0.0
            )
            # A silent estimate of a class that was found gives nothing.
            gains = gains.where(np.isfinite(gains), 0.0)
            values = {
                label: (float(gains[whole["class"] == label].mean()), int(n))
                for label in classes
                if (n := (whole["class"] == label).sum())
            }
            values = {label: values.get(label, (np.nan, 0)) for label in classes}
            rows += _class_rows(system, f"{measure}_improvement", "predicted_tags", values)
    return rows


def _class_rows(system, metric, variant, values):
    rows = [(system, metric, label, variant, value, n) for label, (value, n) in values.items()]
    known = [value for value, _ in values.values() if not np.isnan(value)]
    mean = float(np.mean(known)) if known else np.nan
    return [*rows, (system, metric, "macro", variant, mean, len(known))]


def separation_metrics(parts, classes):
    """Tidy metrics of all folds, SNRs and repeats.

    Parameters
    ----------
    parts : iterable of (snr_db, fold, seed, scores)
    classes : sequence of str

    Returns
    -------
    metrics : pd.DataFrame
        Columns of ``metrics.csv``; fold ``all`` is the mean of the folds that have a value.
    """
    columns = ["system", "metric", "class", "variant", "value", "n"]
    frames = [
        pd.DataFrame(separation_rows(scores, classes), columns=columns).assign(
            snr_db=snr_db, fold=str(fold), seed=seed
        )
        for snr_db, fold, seed, scores in parts
    ]
    per_fold = pd.concat(frames, ignore_index=True)
    keys = ["system", "metric", "class", "variant", "snr_db", "seed"]
    grouped = per_fold.groupby(keys, sort=False, as_index=False)
    mean = grouped.agg(value=("value", "mean"), n=("n", "sum"))
    most = grouped.agg(n=("n", "max"))["n"]
    counts = mean["metric"] == "silent_estimates"
    mean["value"] = mean["value"].where(~counts, grouped.agg(value=("value", "sum"))["value"])
    mean["n"] = mean["n"].where((mean["class"] != "macro") | counts, most)
    metrics = pd.concat([per_fold, mean.assign(fold="all")], ignore_index=True)
    return metrics.assign(task="separation")[COLUMNS]
