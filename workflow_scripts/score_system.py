"""Compute all metrics of one system at one SNR, over its folds."""

import math

from tfseg.datasets import corpus_tables
from tfseg.evaluation.fold_files import fold_files
from tfseg.evaluation.records import MetricSettings
from tfseg.evaluation.system_metrics import system_metrics
from tfseg.features.time_grid import TimeGrid
from tfseg.inference.events import EventSettings
from tfseg.io.files import write_csv
from tfseg.run.job import run_script


def main(smk):
    """Read scores, counts and events of every fold, write the tidy metrics."""
    mixtures, labels = corpus_tables.read_plan(smk.input.mixtures, smk.input.mixture_events)
    files = fold_files(
        smk.params.folds,
        scores=smk.input.scores,
        counts=smk.input.counts,
        events=smk.input.events,
        detections=smk.input.detections,
        tuned_events=smk.input.tuned_events,
    )
    is_mixed = smk.params.snr_db is not None  # ready clips have no SNR
    metrics = system_metrics(
        {fold: of_fold for (fold,), of_fold in files.items()},
        mixtures,
        labels,
        grid=TimeGrid(**smk.params.grid),
        settings=MetricSettings(**smk.params.metrics),
        events=EventSettings(**smk.params.postprocessing),
        planned=is_mixed,
        processes=smk.threads,
        snr_db=smk.params.snr_db if is_mixed else math.nan,
        system=smk.wildcards.system,
        seed=int(smk.wildcards.repeat),
    )
    write_csv(smk.output.metrics, metrics)


if "snakemake" in globals():
    run_script(main, snakemake)
