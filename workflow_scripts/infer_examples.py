"""Everything the example figures show of one mixture: waveform, features, masks, references."""

import torch

from tfseg.datasets import corpus_tables
from tfseg.features.logmel import FeatureSettings
from tfseg.inference.forward import load_networks
from tfseg.job.runner import run_script
from tfseg.mixing.remixing import StemReader
from tfseg.reporting import examples


def main(smk):
    """Choose the mixture by its rule, run every system on it, write one HDF5 file."""
    torch.set_num_threads(smk.params.threads)
    networks = load_networks(smk.params.models)
    mixture_events = corpus_tables.read_table(smk.input.mixture_events, "mixture_events")
    arguments = (
        StemReader(smk.input.stems),
        networks,
        FeatureSettings(**smk.params.features),
        corpus_tables.mixture_labels(mixture_events),
    )
    choice = {"classes": smk.params.classes, "snr_db": smk.params.snr_db}
    examples.write_example(
        smk.output.example,
        examples.make_example(*arguments, **choice),
        examples.make_class_examples(*arguments, **choice),
    )


if "snakemake" in globals():
    run_script(main, snakemake)
