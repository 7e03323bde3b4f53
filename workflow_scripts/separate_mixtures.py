"""Separate a sample of the held-out fold's mixtures with every system, score it, write examples."""

import torch

from tfseg.datasets import corpus_tables
from tfseg.evaluation.separation_scores import (
    draw_mixtures,
    labels_of_mixtures,
    score_sample,
    separate_sample,
)
from tfseg.features.logmel import FeatureSettings
from tfseg.inference.forward import load_networks
from tfseg.io.files import write_csv
from tfseg.job.progress import bars
from tfseg.job.runner import run_script
from tfseg.mixing.remixing import StemReader
from tfseg.separation.example_sounds import writing_sounds


def main(smk):
    """Write the scores of every mixture and class, and wav files of the first mixtures."""
    torch.set_num_threads(1)
    params, fold = smk.params, int(smk.wildcards.fold)
    sample, settings = params.separation, FeatureSettings(**params.features)
    readers = [StemReader(path) for path in smk.input.stems]
    labels = corpus_tables.mixture_labels(
        corpus_tables.read_table(smk.input.mixture_events, "mixture_events")
    )
    drawn = draw_mixtures(
        labels_of_mixtures(readers, labels), sample["mixtures_per_fold"], params.seed, fold
    )
    networks = load_networks(params.models)
    chosen = {"snr_db": params.snr_db, "tag_threshold": params.tag_threshold}
    separations = writing_sounds(
        separate_sample(readers, drawn, networks, settings, labels, params.classes, **chosen),
        drawn[: sample["examples_per_fold"]],
        smk.output.examples,
        settings.sample_rate,
    )
    progress = bars(f"separating, {smk.wildcards.snr} dB, fold {fold}")
    scores = score_sample(
        progress(separations, total=len(drawn)),
        list(networks),
        filter_length=sample["filter_length"],
        processes=smk.threads,
    )
    write_csv(smk.output.scores, scores)


if "snakemake" in globals():
    run_script(main, snakemake)
