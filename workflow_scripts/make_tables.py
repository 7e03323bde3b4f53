"""Lay the metrics out as the paper's tables, with the paper's values where they apply."""

from tfseg.evaluation.records import MetricSettings, read_metrics
from tfseg.reporting import paper_tables
from tfseg.run.job import run_script


def main(smk):
    """Write every table as CSV, Markdown and LaTeX."""
    layout = paper_tables.Layout(
        systems=smk.params.systems,
        classes=smk.params.classes,
        snr_db=smk.params.snr_db,
        by_class_snr_db=smk.params.by_class_snr_db,
        mask_systems=smk.params.mask_systems,
        paper_name=smk.params.compare_with,
        n_separated=smk.params.n_separated,
        metric_settings=MetricSettings(**smk.params.metrics),
    )
    paper = paper_tables.read_paper(smk.input.paper) if smk.params.compare_with else None
    metrics = read_metrics(smk.input.metrics)
    for output in smk.output:
        paper_tables.write(output, metrics, paper, layout)


if "snakemake" in globals():
    run_script(main, snakemake)
