"""Leave out or refuse bad audio, trim, deal the folds: the tables that all later stages read."""

from tfseg.datasets import assemble, corpus_tables
from tfseg.datasets.licences import announce, licence_terms
from tfseg.io.files import write_json
from tfseg.job.runner import run_script


def main(smk):
    """Write events, scenes and attribution; or clips, where nothing is mixed."""
    params = smk.params
    recordings = assemble.usable(
        corpus_tables.read_table(smk.input.recordings, "recordings"),
        corpus_tables.read_table(smk.input.report, "corpus_report"),
        params.on_bad_audio,
        smk.input.report,
    )
    inspection = corpus_tables.read_table(smk.input.inspection, "inspection")
    recordings = assemble.sounding_parts(recordings, inspection, params.trim_silence)
    of_folds = {"folds": params.folds, "held_out": params.held_out}
    recordings = assemble.deal(recordings, params.split, **of_folds, seed=params.seed)
    tables = assemble.checked_tables(
        recordings, params.clips_root, params.split, **of_folds, classes=params.classes
    )
    for name, table in tables.items():
        corpus_tables.write_table(getattr(smk.output, name), table, name)
    terms = licence_terms(recordings)
    write_json(smk.output.licences, terms)
    announce(terms, "mixtures, models and results of this run")


if "snakemake" in globals():
    run_script(main, snakemake)
