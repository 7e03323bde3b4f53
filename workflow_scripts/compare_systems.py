"""Intervals of the metrics of all systems, and of the differences between them."""

from tfseg.datasets import corpus_tables
from tfseg.evaluation import comparison
from tfseg.evaluation.fold_files import fold_files, paths_by_keys
from tfseg.evaluation.records import MetricSettings
from tfseg.evaluation.runs import add_runs
from tfseg.features.time_grid import TimeGrid
from tfseg.io.files import write_csv
from tfseg.run.job import run_script


def main(smk):
    """Resample the clips of every system, SNR and repeat alike, write intervals and comparisons."""
    _, labels = corpus_tables.read_plan(smk.input.mixtures, smk.input.mixture_events)
    scored = fold_files(
        smk.params.scored,
        scores=smk.input.scores,
        counts=smk.input.counts,
        events=smk.input.events,
        detections=smk.input.detections,
        tuned_events=smk.input.tuned_events,
    )
    samples = comparison.Samples(smk.params.resamples, smk.params.seed)
    add_runs(
        samples,
        scored,
        paths_by_keys(smk.input.separation, smk.params.separated),
        labels,
        snrs=smk.params.snrs,
        systems=smk.params.systems,
        seeds=smk.params.repeats,
        classes=smk.params.classes,
        grid=TimeGrid(**smk.params.grid),
        settings=MetricSettings(**smk.params.metrics),
    )
    write_csv(smk.output.intervals, comparison.interval_rows(samples))
    write_csv(smk.output.comparisons, comparison.comparison_rows(samples, smk.params.reference))


if "snakemake" in globals():
    run_script(main, snakemake)
