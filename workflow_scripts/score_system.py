"""Compute all metrics of one system at one SNR, over its folds."""

from dataclasses import replace

import pandas as pd

from tfseg.datasets import corpus_tables
from tfseg.evaluation.intersection import has_psds, intersection_f1_metrics, psds_metrics
from tfseg.evaluation.onset_prior import make_probe, time_prior
from tfseg.evaluation.records import MetricSettings
from tfseg.evaluation.scoring import read_fold_scores, score_system
from tfseg.evaluation.tuned import score_tuned
from tfseg.features.time_grid import TimeGrid
from tfseg.inference.events import EventSettings, read_events
from tfseg.inference.operating_point import read_detection
from tfseg.io.files import write_csv
from tfseg.run.job import run_script
from tfseg.snr import snr_to_number


def main(smk):
    """Read scores, counts and events of every fold, write the tidy metrics."""
    mixtures = corpus_tables.read_table(smk.input.mixtures, "mixtures")
    labels = corpus_tables.mixture_labels(
        corpus_tables.read_table(smk.input.mixture_events, "mixture_events"), mixtures
    )
    grid, settings = TimeGrid(**smk.params.grid), MetricSettings(**smk.params.metrics)
    folds = {}
    for fold, files in smk.params.folds.items():
        estimated = read_events(files["events"])
        scores, classes = read_fold_scores(
            files["scores"], files["counts"], estimated, labels, grid
        )
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
        "snr_db": snr_to_number(smk.params.snr_db),
        "system": smk.wildcards.system,
        "seed": int(smk.wildcards.repeat),
    }
    parts = [
        score_system(folds, classes, settings, processes=smk.threads, **keys),
        intersection_f1_metrics(folds, classes, **keys),
    ]
    if all("tuned_events" in files for files in smk.params.folds.values()):
        tuned = {
            fold: replace(folds[fold], estimated=read_events(files["tuned_events"]))
            for fold, files in smk.params.folds.items()
        }
        detections = {
            fold: read_detection(files["detection"], len(classes))
            for fold, files in smk.params.folds.items()
        }
        parts.append(
            score_tuned(tuned, detections, classes, settings, processes=smk.threads, **keys)
        )
    if has_psds():
        durations = dict(zip(mixtures["mixture"], mixtures["duration_s"], strict=True))
        parts.append(psds_metrics(folds, classes, grid, durations, **keys))
    else:
        print("PSDS is left out: the package sed_scores_eval is not installed (make setup)")
    write_csv(smk.output.metrics, pd.concat([part for part in parts if len(part)]))


if "snakemake" in globals():
    run_script(main, snakemake)
