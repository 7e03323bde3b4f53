"""Compute all metrics of one system at one SNR, over its folds."""

import math
from dataclasses import replace

import pandas as pd

from tfseg.datasets import corpus_tables
from tfseg.evaluation.intersection import has_psds, intersection_f1_metrics, psds_metrics
from tfseg.evaluation.onset_prior import make_probe, time_prior
from tfseg.evaluation.own_metrics import own_metrics
from tfseg.evaluation.records import MetricSettings
from tfseg.evaluation.scoring import read_fold_scores, score_system
from tfseg.evaluation.tuned import score_tuned
from tfseg.features.time_grid import TimeGrid
from tfseg.inference.events import EventSettings, read_events
from tfseg.inference.operating_point import read_detection
from tfseg.io.files import write_csv
from tfseg.run.job import run_script


def main(smk):
    """Read scores, counts and events of every fold, write the tidy metrics."""
    mixtures = corpus_tables.read_table(smk.input.mixtures, "mixtures")
    labels = corpus_tables.mixture_labels(
        corpus_tables.read_table(smk.input.mixture_events, "mixture_events"), mixtures
    )
    grid, settings = TimeGrid(**smk.params.grid), MetricSettings(**smk.params.metrics)
    folds = {}
    per_fold = zip(
        smk.params.folds, smk.input.scores, smk.input.counts, smk.input.events, strict=True
    )
    for fold, scores_path, counts_path, events_path in per_fold:
        estimated = read_events(events_path)
        scores, classes = read_fold_scores(scores_path, counts_path, estimated, labels, grid)
        if smk.params.snr_db is not None:  # not of ready clips: nothing planned their events
            is_trained_on = (mixtures["fold"] != fold) & (mixtures["part"] == "train")
            prior = time_prior(
                (labels[name] for name in mixtures.loc[is_trained_on, "mixture"]),
                classes,
                grid,
                len(scores.frames[0]),
            )
            probe = make_probe(
                prior,
                scores.mixtures,
                scores.tags,
                classes,
                grid,
                EventSettings(**smk.params.postprocessing),
                tag_threshold=settings.tag_threshold,
            )
            scores = replace(scores, probe=probe)
        folds[fold] = scores
    keys = {
        "snr_db": math.nan if smk.params.snr_db is None else smk.params.snr_db,
        "system": smk.wildcards.system,
        "seed": int(smk.wildcards.repeat),
    }
    parts = [
        score_system(folds, classes, settings, processes=smk.threads, **keys),
        intersection_f1_metrics(folds, classes, **keys),
    ]
    if smk.input.tuned_events:
        tuned = {
            fold: replace(of_fold, estimated=read_events(path))
            for (fold, of_fold), path in zip(folds.items(), smk.input.tuned_events, strict=True)
        }
        detections = {
            fold: read_detection(path, len(classes))
            for fold, path in zip(folds, smk.input.detections, strict=True)
        }
        parts.append(
            score_tuned(tuned, detections, classes, settings, processes=smk.threads, **keys)
        )
    if has_psds():
        durations = dict(zip(mixtures["mixture"], mixtures["duration_s"], strict=True))
        parts.append(psds_metrics(folds, classes, grid, durations, **keys))
    else:
        print("PSDS is left out: the package sed_scores_eval is not installed (make setup)")
    parts.append(own_metrics(folds, classes, settings, **keys))
    write_csv(smk.output.metrics, pd.concat([part for part in parts if len(part)]))


if "snakemake" in globals():
    run_script(main, snakemake)
