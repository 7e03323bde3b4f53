"""Intervals of the metrics of all systems, and of the differences between them."""

from tfseg.datasets import corpus_tables
from tfseg.evaluation import comparison
from tfseg.evaluation.fold_files import FoldFiles
from tfseg.evaluation.records import MetricSettings
from tfseg.evaluation.runs import add_scored, add_separated
from tfseg.features.time_grid import TimeGrid
from tfseg.io.files import write_csv
from tfseg.job.runner import run_script


def main(smk):
    """Resample the clips of every system, SNR and repeat alike, write intervals and comparisons."""
    _, labels = corpus_tables.read_plan(smk.input.mixtures, smk.input.mixture_events)
    grid, settings = TimeGrid(**smk.params.grid), MetricSettings(**smk.params.metrics)
    samples = comparison.Samples(smk.params.resamples, smk.params.seed)
    for run in smk.params.scored:
        add_scored(
            samples,
            {fold: FoldFiles(**paths) for fold, paths in run["folds"].items()},
            labels,
            grid=grid,
            settings=settings,
            snr_db=run["snr_db"],
            system=run["system"],
            seed=run["seed"],
        )
    for run in smk.params.separated:
        add_separated(
            samples,
            run["folds"],
            smk.params.systems,
            smk.params.classes,
            snr_db=run["snr_db"],
            seed=run["seed"],
        )
    write_csv(smk.output.intervals, comparison.interval_rows(samples))
    write_csv(smk.output.comparisons, comparison.comparison_rows(samples, smk.params.reference))


if "snakemake" in globals():
    run_script(main, snakemake)
