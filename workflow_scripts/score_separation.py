"""Average the separation scores: by class, macro, over folds."""

import pandas as pd

from tfseg.files import write_csv
from tfseg.metrics.separation_rows import separation_metrics
from tfseg.workflow import run_script


def main(smk):
    """Read the scores of every fold, SNR and repeat, write tidy metrics."""
    parts = [
        (*key, pd.read_csv(path))
        for key, path in zip(smk.params.scored, smk.input.scores, strict=True)
    ]
    write_csv(smk.output.metrics, separation_metrics(parts, smk.params.classes))


if "snakemake" in globals():
    run_script(main, snakemake)
