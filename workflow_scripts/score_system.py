"""Compute all metrics of one system at one SNR, over its folds."""

import math

from tfseg.corpora import tables
from tfseg.events import read_events
from tfseg.files import write_csv
from tfseg.metrics.records import MetricSettings
from tfseg.metrics.scoring import read_fold_scores, score_system
from tfseg.timegrid import TimeGrid
from tfseg.workflow import run_script


def main(smk):
    """Read scores, counts and events of every fold, write the tidy metrics."""
    labels = tables.mixture_labels(
        tables.read_table(smk.input.mixture_events, "mixture_events"),
        tables.read_table(smk.input.mixtures, "mixtures"),
    )
    grid = TimeGrid(**smk.params.grid)
    folds = {}
    per_fold = zip(
        smk.params.folds, smk.input.scores, smk.input.counts, smk.input.events, strict=True
    )
    for fold, scores_path, counts_path, events_path in per_fold:
        estimated = read_events(events_path)
        folds[fold], classes = read_fold_scores(scores_path, counts_path, estimated, labels, grid)
    metrics = score_system(
        folds,
        classes,
        MetricSettings(**smk.params.metrics),
        snr_db=math.nan if smk.params.snr_db is None else smk.params.snr_db,
        system=smk.wildcards.system,
        seed=int(smk.wildcards.repeat),
        processes=smk.threads,
    )
    write_csv(smk.output.metrics, metrics)


if "snakemake" in globals():
    run_script(main, snakemake)
