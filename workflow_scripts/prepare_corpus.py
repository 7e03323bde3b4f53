"""Leave out or refuse bad audio, trim, deal the folds: the tables that all later stages read."""

from tfseg.datasets import assemble, corpus_tables
from tfseg.datasets.folds import TRAIN
from tfseg.datasets.licences import announce, licence_terms
from tfseg.io.files import write_json
from tfseg.job.runner import run_script


def main(smk):
    """Write events, scenes and attribution; or clips, where nothing is mixed."""
    recordings = assemble.usable(
        corpus_tables.read_table(smk.input.recordings, "recordings"),
        corpus_tables.read_table(smk.input.report, "corpus_report"),
        smk.params.on_bad_audio,
        smk.input.report,
    )
    inspection = corpus_tables.read_table(smk.input.inspection, "inspection")
    recordings = assemble.sounding_parts(recordings, inspection, smk.params.trim_silence)
    split, folds, held_out = smk.params.split, smk.params.folds, smk.params.held_out
    recordings["fold"] = assemble.deal_folds(recordings, split, smk.params.seed)
    trained_on = [fold for fold in folds if set(held_out) - {fold}]
    recordings["part"] = assemble.deal_validation(
        recordings, split["validation"], trained_on, smk.params.seed
    )
    if smk.params.clips_root is None:
        corpus = assemble.corpus_tables(recordings)
        corpus_tables.check_folds(corpus["events"], corpus["scenes"], folds, smk.params.classes)
    else:
        corpus = assemble.clip_tables(recordings, smk.params.clips_root)
        clips = corpus["clips"]
        corpus_tables.check_clip_folds(clips, folds, held_out, smk.params.classes)
        if split["validation"]:
            clips = clips[clips["part"] == TRAIN]
            corpus_tables.check_clip_folds(
                clips, folds, held_out, smk.params.classes, log=lambda _: None
            )
    for name, table in corpus.items():
        corpus_tables.write_table(getattr(smk.output, name), table, name)
    terms = licence_terms(recordings)
    write_json(smk.output.licences, terms)
    announce(terms, "mixtures, models and results of this run")


if "snakemake" in globals():
    run_script(main, snakemake)
