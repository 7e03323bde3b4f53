"""Plan every mixture: which events over which scene, when. Nothing here depends on an SNR."""

from tfseg.datasets import corpus_tables
from tfseg.job.runner import run_script
from tfseg.mixing import remixing


def main(smk):
    """Read the corpus tables, write the plan."""
    mixtures, mixture_events = remixing.plan_mixtures(
        corpus_tables.read_table(smk.input.events, "events"),
        corpus_tables.read_table(smk.input.scenes, "scenes"),
        folds=smk.params.folds,
        mixtures_per_fold=smk.params.mixtures_per_fold,
        seed=smk.params.seed,
        validation=smk.params.validation,
        **smk.params.mixing,
    )
    corpus_tables.write_table(smk.output.mixtures, mixtures, "mixtures")
    corpus_tables.write_table(smk.output.events, mixture_events, "mixture_events")


if "snakemake" in globals():
    run_script(main, snakemake)
