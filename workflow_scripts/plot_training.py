"""Draw the training curves of every system."""

from tfseg.reporting import figures
from tfseg.run.job import run_script


def main(smk):
    """Read all histories, draw one panel per SNR."""
    histories = figures.read_histories(smk.input.histories, smk.params.names)
    figures.save(
        figures.draw_training(histories, smk.params.systems), smk.output.png, smk.output.svg
    )


if "snakemake" in globals():
    run_script(main, snakemake)
