"""Plan a corpus of ready clips: each is used as it is; nothing is mixed."""

from tfseg.datasets import corpus_tables
from tfseg.datasets.clips import clip_events
from tfseg.job.runner import run_script
from tfseg.mixing import remixing


def main(smk):
    """Read the clips and the times of their events, write the plan."""
    clips = corpus_tables.read_table(smk.input.clips, "clips")
    events = {}
    if smk.input.strong:
        events = clip_events(
            smk.params.data_root,
            dict(zip(clips["clip"], clips["duration_s"], strict=True)),
            classes=smk.params.classes,
            other_labels=smk.params.other_labels,
        )
    mixtures, mixture_events = remixing.plan_clips(clips, events)
    corpus_tables.write_table(smk.output.mixtures, mixtures, "mixtures")
    corpus_tables.write_table(smk.output.events, mixture_events, "mixture_events")


if "snakemake" in globals():
    run_script(main, snakemake)
