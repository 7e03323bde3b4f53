"""From the separation scores of single mixtures to tidy metrics, by class and macro."""

import numpy as np
import pandas as pd

from tfseg.evaluation.records import COLUMNS

MEASURES = ("sdr", "sir", "sar", "si_sdr", "snr")
BASELINE = "no_separation"
_IMPROVED = ("sdr", "si_sdr", "snr")
# Reference rows without a network.
_REFERENCES = (BASELINE, "ibm", "irm")
_VARIANT = {"whole": "published", "active": "active_span"}


def read_scores(path):
    """Read the scores of single mixtures; a class may be called NA or 1."""
    text_columns = ("mixture", "class", "system", "span")
    return pd.read_csv(
        path,
        dtype=dict.fromkeys(text_columns, str),
        keep_default_na=False,
        na_values={measure: [""] for measure in MEASURES},
    )


def with_improvements(scores):
    """Add each system's improvement over the unprocessed mixture, in the same span."""
    keys = ["mixture", "class", "span"]
    before = scores[scores["system"] == BASELINE][[*keys, *_IMPROVED]]
    joined = scores.merge(before, how="left", on=keys, suffixes=("", "_before"))
    for measure in _IMPROVED:
        joined[f"{measure}_improvement"] = joined[measure] - joined.pop(f"{measure}_before")
    return joined


def _gains_of_predicted(rows, measure):
    """Improvement of each row: zero for a class that was missed or falsely detected."""
    gains = rows[f"{measure}_improvement"].where(
        (rows["sounding"] == 1) & (rows["predicted"] == 1), 0.0
    )
    # A silent estimate of a detected class improves nothing.
    return gains.where(np.isfinite(gains), 0.0)


def capi_sdri(scores):
    """Class-aware, permutation-invariant SDR improvement of each mixture (DCASE 2026, Task 4).

    The SDR is the plain one (`tfseg.evaluation.bss_eval.snr`), over the whole clip. The improvement
    over the unprocessed mixture is averaged over the sources of a mixture. A source that was missed
    or falsely detected counts as zero. For each class, the number of sources is that of the
    reference or of the estimate, whichever is larger. A silent estimate has an SDR of 0 dB, which
    is an improvement where the class is the weaker part of the mixture.

    Our convention: a class is one source in a clip. A system here has one mask, and so one
    estimate, for each class. Its reference is the sum of all events of the class in the clip, so
    there is no permutation to choose. The DCASE task counts each event as a source, so that one
    estimate can match only one of them.

    Parameters
    ----------
    scores : pd.DataFrame
        Scores of one system, from `with_improvements`.

    Returns
    -------
    values : pd.Series
        dB by mixture, for every mixture in which a class is present or detected.
    """
    whole = scores[scores["span"] == "whole"]
    return _gains_of_predicted(whole, "snr").groupby(whole["mixture"], sort=False).mean()


def _mean(values):
    """Mean of the finite values; infinite ones are silent (counted apart) or perfect (SAR)."""
    finite = values[np.isfinite(values)]
    if len(finite):
        return float(finite.mean())
    return float(values.max()) if len(values) else np.nan


def separation_rows(scores, classes):
    """Compute the metrics of one fold, SNR and repeat.

    Parameters
    ----------
    scores : pd.DataFrame
        As `tfseg.evaluation.separation_scores.score_sample` returns.
    classes : sequence of str

    Returns
    -------
    rows : list of (system, metric, class, variant, value, n)
        Variants: ``published`` (whole clip, oracle tags); ``active_span`` (from the class's first
        onset to its last offset); ``predicted_tags`` (improvements over the whole clip, zero for a
        class that was missed or falsely detected; ``capi_sdri`` is the mean over mixtures). ``n``
        counts mixtures, and for ``macro`` the averaged classes (mixtures for ``capi_sdri``).
        ``silent_estimates`` counts silent estimates; they have no finite score, and the means
        leave them out.
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
    """Compute the tidy metrics of all folds, SNRs and repeats.

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
