"""Render the embedded corpus and write its tables."""

from tfseg.corpora import embedded, tables
from tfseg.progress import bars
from tfseg.workflow import run_script


def main(smk):
    """Render recordings and scenes, check the folds, write the three tables."""
    corpus = embedded.render_corpus(
        smk.output.audio,
        classes=smk.params.classes,
        n_folds=len(smk.params.folds),
        scene_duration_s=smk.params.duration_s,
        seed=smk.params.seed,
        progress=bars("rendering"),
        **smk.params.embedded,
    )
    tables.write_corpus(smk.output, *corpus, folds=smk.params.folds, classes=smk.params.classes)


if "snakemake" in globals():
    run_script(main, snakemake)
