"""List what a corpus holds: its recordings with labels, origins and licences."""

from tfseg.datasets import corpus_tables, dcase2018, esc50, tut_rare2017, user_data
from tfseg.run.job import run_script

_ADAPTERS = {
    "dcase2018": dcase2018.list_recordings,
    "tut_rare2017": tut_rare2017.list_recordings,
    "esc50": esc50.list_recordings,
    "folders": user_data.list_folders,
    "clips": user_data.list_clips,
}


def main(smk):
    """Read the corpus's own lists, write ours."""
    recordings = _ADAPTERS[smk.params.kind](smk.params.folder, **smk.params.choice)
    corpus_tables.write_table(smk.output.recordings, recordings, "recordings")


if "snakemake" in globals():
    run_script(main, snakemake)
