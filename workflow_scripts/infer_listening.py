"""The clips of the listening page: every system's masks, frame scores, events and separated sounds."""

import torch

from tfseg.datasets import corpus_tables
from tfseg.evaluation.records import MetricSettings
from tfseg.evaluation.scoring import read_fold_scores
from tfseg.features.logmel import FeatureSettings
from tfseg.inference.events import read_events
from tfseg.inference.forward import load_networks
from tfseg.job.runner import run_script
from tfseg.mixing.remixing import StemReader
from tfseg.reporting import audio_examples


def main(smk):
    """Choose the best, the median and the worst clip, run every system on them, write HDF5."""
    torch.set_num_threads(smk.params.threads)
    settings = FeatureSettings(**smk.params.features)
    metric_settings = MetricSettings(**smk.params.metrics)
    _, labels = corpus_tables.read_plan(smk.input.mixtures, smk.input.mixture_events)
    folds = [
        read_fold_scores(files["scores"], files["counts"], {}, labels, settings.grid)[0]
        for files in smk.params.scored.values()
    ]
    if smk.input.stems:
        readers = [StemReader(path) for path in smk.input.stems]
        source = audio_examples.Mixtures(readers, smk.params.snr_db)
    else:
        source = audio_examples.Clips(
            corpus_tables.read_table(smk.input.clips[0], "clips"), smk.params.resampler
        )
    made = audio_examples.make_listening(
        audio_examples.choose_clips(
            [audio_examples.clip_scores(fold, metric_settings) for fold in folds]
        ),
        load_networks(smk.params.models),
        settings,
        labels,
        {system: read_events(files["events"]) for system, files in smk.params.scored.items()},
        classes=smk.params.classes,
        tag_threshold=metric_settings.tag_threshold,
        by_times=bool(folds[0].reference),
        source=source,
    )
    audio_examples.write_listening(smk.output.listening, made)


if "snakemake" in globals():
    run_script(main, snakemake)
