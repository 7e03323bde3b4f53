"""Leave out or refuse bad audio, trim, deal the folds: the tables that all later stages read."""

from tfseg.corpora import assemble, tables
from tfseg.corpora.folds import TRAIN
from tfseg.files import write_json
from tfseg.licences import announce, licence_terms
from tfseg.workflow import run_script


def main(smk):
    """Write events, scenes and attribution; or clips, where nothing is mixed."""
    recordings = assemble.usable(
        tables.read_table(smk.input.recordings, "recordings"),
        tables.read_table(smk.input.report, "corpus_report"),
        smk.params.on_bad_audio,
        smk.input.report,
    )
    inspection = tables.read_table(smk.input.inspection, "inspection")
    recordings = assemble.sounding_parts(recordings, inspection, smk.params.trim_silence)
    split, folds, held_out = smk.params.split, smk.params.folds, smk.params.held_out
    recordings["fold"] = assemble.deal_folds(recordings, split, smk.params.seed)
    trained_on = [fold for fold in folds if set(held_out) - {fold}]
    recordings["part"] = assemble.deal_validation(
        recordings, split["validation"], trained_on, smk.params.seed
    )
    if smk.params.clips_root is None:
        corpus = assemble.corpus_tables(recordings)
        tables.check_folds(corpus["events"], corpus["scenes"], folds, smk.params.classes)
    else:
        corpus = assemble.clip_tables(recordings, smk.params.clips_root)
        clips = corpus["clips"]
        tables.check_clip_folds(clips, folds, held_out, smk.params.classes)
        if split["validation"]:
            clips = clips[clips["part"] == TRAIN]
            tables.check_clip_folds(clips, folds, held_out, smk.params.classes, log=lambda _: None)
    for name, table in corpus.items():
        tables.write_table(getattr(smk.output, name), table, name)
    terms = licence_terms(recordings)
    write_json(smk.output.licences, terms)
    announce(terms, "mixtures, models and results of this run")


if "snakemake" in globals():
    run_script(main, snakemake)
