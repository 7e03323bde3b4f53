"""Everything the example figures show of one ready clip: waveform, features, masks, labels."""

import torch

from tfseg import examples
from tfseg.corpora import tables
from tfseg.features import FeatureSettings
from tfseg.inference import load_networks
from tfseg.workflow import run_script


def main(smk):
    """Choose the clip by its rule, run every system on it, write one HDF5 file."""
    torch.set_num_threads(smk.params.threads)
    networks = load_networks(smk.params.systems, smk.input.models, smk.input.descriptions)
    clips = tables.read_table(smk.input.clips, "clips")
    labels = tables.mixture_labels(
        tables.read_table(smk.input.mixture_events, "mixture_events"),
        tables.read_table(smk.input.mixtures, "mixtures"),
    )
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
