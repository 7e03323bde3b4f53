"""From the separation scores of single mixtures to tidy metrics, by class and macro."""

import numpy as np
import pandas as pd

from tfseg.evaluation.records import COLUMNS

MEASURES = ("sdr", "sir", "sar", "si_sdr", "snr")
BASELINE = "no_separation"
_IMPROVED = ("sdr", "si_sdr", "snr")
# Rows that no network made.
_REFERENCES = (BASELINE, "ibm", "irm")
_VARIANT = {"whole": "published", "active": "active_span"}


def read_scores(path):
    """Read the scores of single mixtures; a class may be called NA, or 1."""
    text_columns = ("mixture", "class", "system", "span")
    return pd.read_csv(
        path,
        dtype=dict.fromkeys(text_columns, str),
        keep_default_na=False,
        na_values={measure: [""] for measure in MEASURES},
    )


def with_improvements(scores):
    """Add what each system gains over the mixture as it is, in the same span."""
    keys = ["mixture", "class", "span"]
    before = scores[scores["system"] == BASELINE][[*keys, *_IMPROVED]]
    joined = scores.merge(before, how="left", on=keys, suffixes=("", "_before"))
    for measure in _IMPROVED:
        joined[f"{measure}_improvement"] = joined[measure] - joined.pop(f"{measure}_before")
    return joined


def _gains_of_predicted(rows, measure):
    """Improvement of each row: zero for a class that was missed, or found but does not sound."""
    gains = rows[f"{measure}_improvement"].where(
        (rows["sounding"] == 1) & (rows["predicted"] == 1), 0.0
    )
    # A silent estimate of a class that was found gives nothing.
    return gains.where(np.isfinite(gains), 0.0)


def capi_sdri(scores):
    """Class-aware, permutation-invariant SDR improvement of each mixture (DCASE 2026, Task 4).

    The SDR is the plain one (`tfseg.evaluation.bss_eval.snr`), over the whole clip; improvements
    are over the mixture as it is, and those of a mixture's sources are averaged. A source that was
    missed, or found but does not sound, counts as zero: the mean is over as many sources as the
    reference or the estimate has of a class, whichever are more. A silent estimate has an SDR of
    0 dB, which improves on a mixture in which the class is the weaker part.

    Our convention: a class is one source in a clip. A system here has one mask and so one estimate
    for each class, and its reference is the sum of all events of the class in the clip, so that
    there is no permutation to choose. The task counts every one of them as a source of its own,
    of which one estimate could match one only.

    Parameters
    ----------
    scores : pd.DataFrame
        Of one system, as `with_improvements` returns them.

    Returns
    -------
    values : pd.Series
        dB by mixture; of every mixture in which a class sounds or was found.
    """
    whole = scores[scores["span"] == "whole"]
    return _gains_of_predicted(whole, "snr").groupby(whole["mixture"], sort=False).mean()


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
        As `tfseg.evaluation.separation_scores.score_sample` returns.
    classes : sequence of str

    Returns
    -------
    rows : list of (system, metric, class, variant, value, n)
        Variants: ``published`` (whole clip, oracle tags), ``active_span`` (from the class's first
        onset to its last offset), ``predicted_tags`` (improvements over the whole clip, zero for
        a class that was missed and for one that was found but does not sound; ``capi_sdri``, the
        mean over mixtures). ``n`` counts mixtures, and for ``macro`` the classes averaged (of
        ``capi_sdri`` mixtures). ``silent_estimates`` counts estimates
        without any sound: they have no finite score, and are left out of the means.
    """
    scores = with_improvements(scores)
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
        if system in _REFERENCES:
            continue
        clips = capi_sdri(of_system)
        rows.append(
            (system, "capi_sdri", "macro", "predicted_tags", float(clips.mean()), len(clips))
        )
        whole = of_system[of_system["span"] == "whole"]
        for measure in _IMPROVED:
            gains = _gains_of_predicted(whole, measure)
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
    of_clips = counts | (mean["metric"] == "capi_sdri")
    mean["n"] = mean["n"].where((mean["class"] != "macro") | of_clips, most)
    metrics = pd.concat([per_fold, mean.assign(fold="all")], ignore_index=True)
    return metrics.assign(task="separation")[COLUMNS]
