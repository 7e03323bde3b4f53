"""Draw metric against SNR for every system."""

from tfseg.evaluation.records import read_metrics
from tfseg.reporting import figures
from tfseg.run.job import run_script


def main(smk):
    """Read metrics.csv, draw one panel per task."""
    metrics = read_metrics(smk.input.metrics)
    figures.save(figures.draw_metrics(metrics, smk.params.systems), smk.output.png, smk.output.svg)


if "snakemake" in globals():
    run_script(main, snakemake)
