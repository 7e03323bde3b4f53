"""Lay the metrics out as the paper's tables, with the paper's values where they apply."""

from tfseg.evaluation.records import MetricSettings, read_metrics
from tfseg.job.runner import run_script
from tfseg.reporting.tables import printed
from tfseg.reporting.tables.layout import Layout
from tfseg.reporting.tables.values import read_paper


def main(smk):
    """Write every table as CSV, Markdown and LaTeX."""
    layout = Layout(
        systems=smk.params.systems,
        classes=smk.params.classes,
        snr_db=smk.params.snr_db,
        by_class_snr_db=smk.params.by_class_snr_db,
        mask_systems=smk.params.mask_systems,
        paper_name=smk.params.compare_with,
        n_separated=smk.params.n_separated,
        metric_settings=MetricSettings(**smk.params.metrics),
    )
    paper = read_paper(smk.input.paper) if smk.params.compare_with else None
    metrics = read_metrics(smk.input.metrics)
    for output in smk.output:
        printed.write(output, metrics, paper, layout)


if "snakemake" in globals():
    run_script(main, snakemake)
