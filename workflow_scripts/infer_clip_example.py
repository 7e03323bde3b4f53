"""Everything the example figures show of one ready clip: waveform, features, masks, labels."""

import torch

from tfseg.datasets import corpus_tables
from tfseg.features.logmel import FeatureSettings
from tfseg.inference.forward import load_networks
from tfseg.job.runner import run_script
from tfseg.reporting import examples


def main(smk):
    """Choose the clip by its rule, run every system on it, write one HDF5 file."""
    torch.set_num_threads(smk.params.threads)
    networks = load_networks(smk.params.models)
    clips = corpus_tables.read_table(smk.input.clips, "clips")
    _, labels = corpus_tables.read_plan(smk.input.mixtures, smk.input.mixture_events)
    example = examples.make_clip_example(
        examples.choose_clip(clips[clips["fold"] == smk.params.fold]),
        networks,
        FeatureSettings(**smk.params.features),
        labels,
        classes=smk.params.classes,
        resampler=smk.params.resampler,
    )
    examples.write_example(smk.output.example, example)


if "snakemake" in globals():
    run_script(main, snakemake)
