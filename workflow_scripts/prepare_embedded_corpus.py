"""Render the embedded corpus and write its tables."""

from tfseg.corpora import embedded, tables
from tfseg.progress import bars
from tfseg.workflow import run_script


def main(smk):
    """Render recordings and scenes, check the folds, write the three tables."""
    events, scenes, attribution = embedded.render_corpus(
        smk.output.audio,
        classes=smk.params.classes,
        n_folds=len(smk.params.folds),
        scene_duration_s=smk.params.duration_s,
        seed=smk.params.seed,
        progress=bars("rendering"),
        **smk.params.embedded,
    )
    tables.check_folds(events, scenes, smk.params.folds, smk.params.classes)
    tables.write_table(smk.output.events, events, "events")
    tables.write_table(smk.output.scenes, scenes, "scenes")
    tables.write_table(smk.output.attribution, attribution, "attribution")


if "snakemake" in globals():
    run_script(main, snakemake)
