"""Render the embedded corpus and list its recordings."""

from tfseg.datasets import corpus_tables, embedded
from tfseg.run.job import run_script
from tfseg.run.progress import bars


def main(smk):
    """Render events and scenes, write the list."""
    recordings = embedded.render_corpus(
        smk.output.audio,
        classes=smk.params.classes,
        scene_duration_s=smk.params.duration_s,
        seed=smk.params.seed,
        progress=bars("rendering"),
        **smk.params.embedded,
    )
    corpus_tables.write_table(smk.output.recordings, recordings, "recordings")


if "snakemake" in globals():
    run_script(main, snakemake)
