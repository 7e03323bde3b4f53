"""The clips of the listening page: every system's masks, frame scores, events and separated sounds."""

import torch

from tfseg.datasets.corpus_tables import read_plan
from tfseg.evaluation.records import MetricSettings
from tfseg.features.logmel import FeatureSettings
from tfseg.inference.events import read_events
from tfseg.inference.forward import load_networks
from tfseg.job.runner import run_script
from tfseg.reporting import audio_examples


def main(smk):
    """Choose the best, the median and the worst clip, run every system on them, write HDF5."""
    params = smk.params
    torch.set_num_threads(params.threads)
    settings, metrics = FeatureSettings(**params.features), MetricSettings(**params.metrics)
    _, labels = read_plan(smk.input.mixtures, smk.input.mixture_events)
    chosen, by_times = audio_examples.choose_scored(params.scored, labels, settings.grid, metrics)
    made = audio_examples.make_audio_examples(
        chosen,
        load_networks(params.models),
        settings,
        labels,
        {system: read_events(files["events"]) for system, files in params.scored.items()},
        classes=params.classes,
        tag_threshold=metrics.tag_threshold,
        by_times=by_times,
        source=audio_examples.source_of(
            smk.input.stems, smk.input.clips, snr_db=params.snr_db, resampler=params.resampler
        ),
    )
    audio_examples.write_audio_examples(smk.output.listening, made)


if "snakemake" in globals():
    run_script(main, snakemake)
