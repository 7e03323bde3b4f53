"""Join the metrics of all systems and SNRs into one tidy table."""

import pandas as pd

from tfseg.evaluation.records import read_metrics
from tfseg.io.files import write_csv
from tfseg.job.runner import run_script


def main(smk):
    """Read every part, write metrics.csv."""
    parts = [read_metrics(path) for path in smk.input.parts]
    write_csv(smk.output.metrics, pd.concat(parts, ignore_index=True))


if "snakemake" in globals():
    run_script(main, snakemake)
