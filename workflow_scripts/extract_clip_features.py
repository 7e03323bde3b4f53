"""Compute log-mel features of one shard of ready clips."""

from tfseg.datasets import corpus_tables
from tfseg.datasets.inspection import check_unchanged
from tfseg.features import logmel
from tfseg.io.files import writing_hdf5
from tfseg.job.progress import bars
from tfseg.job.runner import run_script


def main(smk):
    """Read the shard's clips one after another, write their features."""
    clips = corpus_tables.read_table(smk.input.clips, "clips")
    clips = clips[clips["fold"] == int(smk.wildcards.fold)]
    shard = clips.iloc[int(smk.wildcards.shard) :: smk.params.n_shards]
    check_unchanged(corpus_tables.read_table(smk.input.inspection, "inspection"), shard["path"])
    with writing_hdf5(smk.output.features) as file:
        logmel.extract_clips(
            file,
            shard,
            logmel.FeatureSettings(**smk.params.features),
            classes=smk.params.classes,
            resampler=smk.params.resampler,
            progress=bars(f"features, fold {smk.wildcards.fold}, shard {smk.wildcards.shard}"),
        )


if "snakemake" in globals():
    run_script(main, snakemake)
