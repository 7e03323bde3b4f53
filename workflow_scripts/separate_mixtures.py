"""Separate a sample of the held-out fold's mixtures with every system, score it, write examples."""

import torch

from tfseg.datasets import corpus_tables
from tfseg.evaluation.separation_scores import separate_fold
from tfseg.features.logmel import FeatureSettings
from tfseg.inference.forward import load_networks
from tfseg.io.files import write_csv
from tfseg.job.progress import bars
from tfseg.job.runner import run_script
from tfseg.mixing.remixing import StemReader


def main(smk):
    """Write the scores of every mixture and class, and wav files of the first mixtures."""
    torch.set_num_threads(1)
    params, names = smk.params, smk.wildcards
    events = corpus_tables.read_table(smk.input.mixture_events, "mixture_events")
    scores = separate_fold(
        [StemReader(path) for path in smk.input.stems],
        load_networks(params.models),
        FeatureSettings(**params.features),
        corpus_tables.mixture_labels(events),
        params.classes,
        snr_db=params.snr_db,
        tag_threshold=params.tag_threshold,
        sample=params.separation,
        seed=params.seed,
        fold=int(names.fold),
        examples=smk.output.examples,
        processes=smk.threads,
        progress=bars(f"separating, {names.snr} dB, fold {names.fold}"),
    )
    write_csv(smk.output.scores, scores)


if "snakemake" in globals():
    run_script(main, snakemake)
