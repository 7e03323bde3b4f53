"""Plan a corpus of ready clips: each is used as it is; nothing is mixed."""

from tfseg.datasets import corpus_tables
from tfseg.datasets.clips import clip_events, label_report
from tfseg.job.runner import run_script
from tfseg.mixing import remixing


def main(smk):
    """Read the clips and the times of their events, write the plan and which times were cut."""
    clips = corpus_tables.read_table(smk.input.clips, "clips")
    events, report = {}, label_report([])
    if smk.input.strong:
        events, report = clip_events(
            smk.params.data_root,
            dict(zip(clips["clip"], clips["duration_s"], strict=True)),
            classes=smk.params.classes,
            other_labels=smk.params.other_labels,
            label_excess_s=smk.params.label_excess_s,
        )
    if len(report):
        print(f"{len(report)} labels that end after their clips are cut: {smk.output.report}")
    mixtures, mixture_events = remixing.plan_clips(clips, events)
    corpus_tables.write_table(smk.output.mixtures, mixtures, "mixtures")
    corpus_tables.write_table(smk.output.events, mixture_events, "mixture_events")
    corpus_tables.write_table(smk.output.report, report, "corpus_report")


if "snakemake" in globals():
    run_script(main, snakemake)
