"""Separate a sample of the held-out fold's mixtures with every system, score it, write examples."""

import torch

from tfseg.datasets import corpus_tables
from tfseg.evaluation import separation_scores
from tfseg.features.logmel import FeatureSettings
from tfseg.inference.forward import load_networks
from tfseg.io.audio import write_wav
from tfseg.io.files import write_csv
from tfseg.mixing import remixing
from tfseg.run.job import run_script
from tfseg.run.progress import bars


def _write(folder, separation, sample_rate):
    """One folder for a mixture: itself, and each class true and as every system separates it."""
    waveforms = {"mixture": separation.waveform}
    for label, reference in separation.references.items():
        waveforms[f"{label}-reference"] = reference
        for system, estimate in separation.estimates[label].items():
            if system != "no_separation":
                waveforms[f"{label}-{system}"] = estimate
    for name, samples in waveforms.items():
        write_wav(f"{folder}/{separation.mixture}/{name}.wav", samples, sample_rate, "FLOAT")


def main(smk):
    """Write the scores of every mixture and class, and wav files of the first mixtures."""
    torch.set_num_threads(1)
    networks = load_networks(smk.params.systems, smk.input.models, smk.input.descriptions)
    settings = FeatureSettings(**smk.params.features)
    readers = [remixing.StemReader(path) for path in smk.input.stems]
    fold = int(smk.wildcards.fold)
    mixture_events = corpus_tables.read_table(smk.input.mixture_events, "mixture_events")
    labels = corpus_tables.mixture_labels(mixture_events)
    drawn = separation_scores.draw_mixtures(
        {
            name: {label for label, _, _ in labels.get(name, [])}
            for reader in readers
            for name, kind in zip(reader.mixtures, reader.kinds, strict=True)
            if kind == "mixture"
        },
        smk.params.separation["mixtures_per_fold"],
        smk.params.seed,
        fold,
    )
    separations = separation_scores.separate_sample(
        readers,
        drawn,
        networks,
        settings,
        labels,
        smk.params.classes,
        snr_db=smk.params.snr_db,
        tag_threshold=smk.params.tag_threshold,
    )
    examples = set(drawn[: smk.params.separation["examples_per_fold"]])

    def written(separations):
        for separation in separations:
            if separation.mixture in examples:
                _write(smk.output.examples, separation, settings.sample_rate)
            yield separation

    progress = bars(f"separating, {smk.wildcards.snr} dB, fold {fold}")
    scores = separation_scores.score_sample(
        progress(written(separations), total=len(drawn)),
        smk.params.systems,
        filter_length=smk.params.separation["filter_length"],
        processes=smk.threads,
    )
    write_csv(smk.output.scores, scores)


if "snakemake" in globals():
    run_script(main, snakemake)
