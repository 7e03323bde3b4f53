"""Compute log-mel features of one shard of ready clips."""

from tfseg import features
from tfseg.corpora import tables
from tfseg.corpora.inspection import check_unchanged
from tfseg.files import writing_hdf5
from tfseg.progress import bars
from tfseg.workflow import run_script


def main(smk):
    """Read the shard's clips one after another, write their features."""
    clips = tables.read_table(smk.input.clips, "clips")
    clips = clips[clips["fold"] == int(smk.wildcards.fold)]
    shard = clips.iloc[int(smk.wildcards.shard) :: smk.params.n_shards]
    check_unchanged(tables.read_table(smk.input.inspection, "inspection"), shard["path"])
    with writing_hdf5(smk.output.features) as file:
        features.extract_clips(
            file,
            shard,
            features.FeatureSettings(**smk.params.features),
            classes=smk.params.classes,
            resampler=smk.params.resampler,
            progress=bars(f"features, fold {smk.wildcards.fold}, shard {smk.wildcards.shard}"),
        )


if "snakemake" in globals():
    run_script(main, snakemake)
