"""Plan a corpus of ready clips: each is used as it is; nothing is mixed."""

from tfseg import mixing
from tfseg.corpora import own, tables
from tfseg.workflow import run_script


def main(smk):
    """Read the clips and the times of their events, write the plan."""
    clips = tables.read_table(smk.input.clips, "clips")
    events = own.clip_events(
        smk.params.data_root,
        dict(zip(clips["clip"], clips["duration_s"], strict=True)),
        classes=smk.params.classes,
        other_labels=smk.params.other_labels,
    )
    mixtures, mixture_events = mixing.plan_clips(clips, events)
    tables.write_table(smk.output.mixtures, mixtures, "mixtures")
    tables.write_table(smk.output.events, mixture_events, "mixture_events")


if "snakemake" in globals():
    run_script(main, snakemake)
