"""Compute log-mel features and ideal masks of one shard for all SNRs, in one pass."""

import contextlib

from tfseg import features, mixing
from tfseg.corpora import tables
from tfseg.files import writing_hdf5
from tfseg.progress import bars
from tfseg.workflow import run_script


def main(smk):
    """Read stems and plan, write one feature file per SNR."""
    mixture_events = tables.read_table(smk.input.mixture_events, "mixture_events")
    with contextlib.ExitStack() as stack:
        features.extract_features(
            [stack.enter_context(writing_hdf5(path)) for path in smk.output],
            mixing.StemReader(smk.input.stems),
            features.FeatureSettings(**smk.params.features),
            tables.mixture_labels(mixture_events),
            classes=smk.params.classes,
            snr_db=smk.params.snr_db,
            progress=bars(f"features, fold {smk.wildcards.fold}, shard {smk.wildcards.shard}"),
        )


if "snakemake" in globals():
    run_script(main, snakemake)
