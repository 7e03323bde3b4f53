"""Draw one figure of the run, by the module that declares it."""

from types import SimpleNamespace

from tfseg.job.runner import run_script
from tfseg.reporting.figures.drawing import save
from tfseg.reporting.figures.registry import load_draw


def main(smk):
    """Draw it, write it as PNG and SVG."""
    draw = load_draw(smk.wildcards.figure)
    figure = draw(smk.input, SimpleNamespace(**smk.params.given))
    save(figure, smk.output.png, smk.output.svg)


if "snakemake" in globals():
    run_script(main, snakemake)
