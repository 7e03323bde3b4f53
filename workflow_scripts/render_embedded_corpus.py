"""Render the recordings of a corpus that the workflow makes itself, and list them."""

import importlib

from tfseg.datasets import corpus_tables
from tfseg.job.progress import bars
from tfseg.job.runner import run_script


def main(smk):
    """Render events and scenes, write the list."""
    corpus = importlib.import_module(f"tfseg.datasets.{smk.params.kind}")
    recordings = corpus.render_corpus(
        smk.output.audio,
        classes=smk.params.classes,
        scene_duration_s=smk.params.duration_s,
        seed=smk.params.seed,
        progress=bars("rendering"),
        **smk.params.settings,
    )
    corpus_tables.write_table(smk.output.recordings, recordings, "recordings")


if "snakemake" in globals():
    run_script(main, snakemake)
