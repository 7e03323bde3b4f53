"""List what a corpus holds: its recordings with labels, origins and licences."""

import importlib

from tfseg.datasets import corpus_tables
from tfseg.job.runner import run_script


def main(smk):
    """Read the corpus's own lists, write ours."""
    corpus = importlib.import_module(f"tfseg.datasets.{smk.params.kind}")
    recordings = corpus.list_recordings(smk.params.folder, **smk.params.choice)
    corpus_tables.write_table(smk.output.recordings, recordings, "recordings")


if "snakemake" in globals():
    run_script(main, snakemake)
