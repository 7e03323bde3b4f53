"""Average the separation scores: by class, macro, over folds."""

from tfseg.evaluation.separation_rows import read_scores, separation_metrics
from tfseg.io.files import write_csv
from tfseg.job.runner import run_script


def main(smk):
    """Read the scores of every fold, SNR and repeat, write tidy metrics."""
    parts = [
        (one["snr_db"], fold, one["seed"], read_scores(path))
        for one in smk.params.separated
        for fold, path in one["folds"].items()
    ]
    write_csv(smk.output.metrics, separation_metrics(parts, smk.params.classes))


if "snakemake" in globals():
    run_script(main, snakemake)
