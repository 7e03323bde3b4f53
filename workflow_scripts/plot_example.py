"""Draw the example mixture (TASLP Fig. 1, 7 and 8), and one mixture of each class (JSC Fig. 3)."""

from tfseg.reporting import examples, figures
from tfseg.run.job import run_script


def main(smk):
    """Read the example, draw each figure as PNG and SVG."""
    example = examples.read_example(smk.input.example)
    figures.save(figures.draw_mixture(example), smk.output.mixture_png, smk.output.mixture_svg)
    figures.save(figures.draw_masks(example), smk.output.masks_png, smk.output.masks_svg)
    figures.save(figures.draw_frames(example), smk.output.frames_png, smk.output.frames_svg)
    of_classes = examples.read_class_examples(smk.input.example)
    figures.save(
        figures.draw_class_masks(example, of_classes),
        smk.output.classes_png,
        smk.output.classes_svg,
    )


if "snakemake" in globals():
    run_script(main, snakemake)
