"""Compute all metrics of one system at one SNR, over its folds."""

from tfseg.datasets import corpus_tables
from tfseg.evaluation.fold_files import FoldFiles
from tfseg.evaluation.records import MetricSettings
from tfseg.evaluation.system_metrics import system_metrics
from tfseg.features.time_grid import TimeGrid
from tfseg.inference.events import EventSettings
from tfseg.io.files import write_csv
from tfseg.job.runner import run_script
from tfseg.snr import snr_to_number


def main(smk):
    """Read scores, counts and events of every fold, write the tidy metrics."""
    mixtures, labels = corpus_tables.read_plan(smk.input.mixtures, smk.input.mixture_events)
    metrics = system_metrics(
        {fold: FoldFiles(**paths) for fold, paths in smk.params.folds.items()},
        mixtures,
        labels,
        grid=TimeGrid(**smk.params.grid),
        settings=MetricSettings(**smk.params.metrics),
        events=EventSettings(**smk.params.postprocessing),
        planned=smk.params.snr_db is not None,  # nothing planned the events of ready clips
        processes=smk.threads,
        snr_db=snr_to_number(smk.params.snr_db),
        system=smk.wildcards.system,
        seed=int(smk.wildcards.repeat),
    )
    write_csv(smk.output.metrics, metrics)


if "snakemake" in globals():
    run_script(main, snakemake)
