"""Render the stems of one shard of one fold."""

from tfseg.datasets import corpus_tables
from tfseg.datasets.inspection import check_unchanged
from tfseg.datasets.licences import announce
from tfseg.io.files import read_json, writing_hdf5
from tfseg.job.progress import bars
from tfseg.job.runner import run_script
from tfseg.mixing import remixing


def main(smk):
    """Read the shard's part of the plan, write its stems."""
    mixtures = corpus_tables.read_table(smk.input.mixtures, "mixtures")
    mixtures = mixtures[mixtures["fold"] == int(smk.wildcards.fold)]
    first = int(smk.wildcards.shard) * smk.params.shard_size
    shard = mixtures.iloc[first : first + smk.params.shard_size]
    mixture_events = corpus_tables.read_table(smk.input.mixture_events, "mixture_events")
    events = mixture_events[mixture_events["mixture"].isin(shard["mixture"])]
    check_unchanged(
        corpus_tables.read_table(smk.input.inspection, "inspection"),
        [path for path in [*shard["scene"], *events["event"]] if path],
    )
    terms = read_json(smk.input.licences)
    announce(terms, "these mixtures")
    with writing_hdf5(smk.output.stems) as file:
        remixing.render_stems(
            file,
            shard,
            events,
            corpus_tables.read_table(smk.input.corpus_events, "events"),
            classes=smk.params.classes,
            sample_rate=smk.params.sample_rate,
            progress=bars(f"stems, fold {smk.wildcards.fold}, shard {smk.wildcards.shard}"),
            **smk.params.mixing,
        )
        file.attrs["licences"] = list(terms["licences"])


if "snakemake" in globals():
    run_script(main, snakemake)
