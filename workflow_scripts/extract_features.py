"""Compute log-mel features and ideal masks of one shard for all SNRs, in one pass."""

import contextlib

from tfseg.datasets import corpus_tables
from tfseg.features import logmel
from tfseg.io.files import writing_hdf5
from tfseg.job.progress import bars
from tfseg.job.runner import run_script
from tfseg.mixing import remixing


def main(smk):
    """Read stems and plan, write one feature file per SNR."""
    mixture_events = corpus_tables.read_table(smk.input.mixture_events, "mixture_events")
    with contextlib.ExitStack() as stack:
        logmel.extract_features(
            [stack.enter_context(writing_hdf5(path)) for path in smk.output],
            remixing.StemReader(smk.input.stems),
            logmel.FeatureSettings(**smk.params.features),
            corpus_tables.mixture_labels(mixture_events),
            classes=smk.params.classes,
            snr_db=smk.params.snr_db,
            progress=bars(f"features, fold {smk.wildcards.fold}, shard {smk.wildcards.shard}"),
        )


if "snakemake" in globals():
    run_script(main, snakemake)
