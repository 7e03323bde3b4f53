"""Describe the unpacked FSDKaggle2018 and TUT Urban Acoustic Scenes 2018 in the corpus tables."""

from tfseg.corpora import dcase2018, tables
from tfseg.workflow import run_script


def main(smk):
    """Read the folders, check the folds, write the three tables."""
    corpus = dcase2018.read_corpus(
        smk.params.data_root,
        classes=smk.params.classes,
        n_folds=len(smk.params.folds),
        seed=smk.params.seed,
    )
    tables.write_corpus(smk.output, *corpus, folds=smk.params.folds, classes=smk.params.classes)


if "snakemake" in globals():
    run_script(main, snakemake)
