"""Compute all metrics of one system at one SNR, over its folds."""

import math
from dataclasses import replace

from tfseg.corpora import tables
from tfseg.events import HysteresisSettings, read_events
from tfseg.files import write_csv
from tfseg.metrics.records import MetricSettings
from tfseg.metrics.scoring import read_fold_scores, score_system
from tfseg.metrics.time_probe import make_probe, time_prior
from tfseg.timegrid import TimeGrid
from tfseg.workflow import run_script


def main(smk):
    """Read scores, counts and events of every fold, write the tidy metrics."""
    mixtures = tables.read_table(smk.input.mixtures, "mixtures")
    labels = tables.mixture_labels(
        tables.read_table(smk.input.mixture_events, "mixture_events"), mixtures
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
            trained_on = mixtures.loc[mixtures["fold"] != fold, "mixture"]
            prior = time_prior(
                (labels[name] for name in trained_on), classes, grid, len(scores.frames[0])
            )
            probe = make_probe(
                prior,
                scores.mixtures,
                scores.tags,
                classes,
                grid,
                HysteresisSettings(**smk.params.postprocessing),
                tag_threshold=settings.tag_threshold,
            )
            scores = replace(scores, probe=probe)
        folds[fold] = scores
    metrics = score_system(
        folds,
        classes,
        settings,
        snr_db=math.nan if smk.params.snr_db is None else smk.params.snr_db,
        system=smk.wildcards.system,
        seed=int(smk.wildcards.repeat),
        processes=smk.threads,
    )
    write_csv(smk.output.metrics, metrics)


if "snakemake" in globals():
    run_script(main, snakemake)
