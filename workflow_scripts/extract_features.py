"""Compute log-mel features and ideal masks of one shard for all SNRs, in one pass."""

from tfseg import features, mixing
from tfseg.corpora import tables
from tfseg.progress import bars
from tfseg.workflow import run_script


def main(smk):
    """Read stems and plan, write one feature file per SNR."""
    settings = features.FeatureSettings(**smk.params.features)
    mixture_events = tables.read_table(smk.input.mixture_events, "mixture_events")
    by_snr = features.extract_features(
        mixing.StemReader(smk.input.stems),
        settings,
        tables.mixture_labels(mixture_events),
        classes=smk.params.classes,
        snr_db=smk.params.snr_db,
        progress=bars(f"features, fold {smk.wildcards.fold}, shard {smk.wildcards.shard}"),
    )
    for snr_db, output in zip(smk.params.snr_db, smk.output, strict=True):
        features.write_features(
            output, by_snr[snr_db], classes=smk.params.classes, settings=settings, snr_db=snr_db
        )


if "snakemake" in globals():
    run_script(main, snakemake)
