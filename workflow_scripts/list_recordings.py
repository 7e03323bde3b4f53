"""List what a corpus holds: its recordings with labels, origins and licences."""

from tfseg.corpora import dcase2018, esc50, own, tables, tut_rare2017
from tfseg.workflow import run_script

_ADAPTERS = {
    "dcase2018": dcase2018.list_recordings,
    "tut_rare2017": tut_rare2017.list_recordings,
    "esc50": esc50.list_recordings,
    "folders": own.list_folders,
    "clips": own.list_clips,
}


def main(smk):
    """Read the corpus's own lists, write ours."""
    recordings = _ADAPTERS[smk.params.kind](smk.params.folder, **smk.params.choice)
    tables.write_table(smk.output.recordings, recordings, "recordings")


if "snakemake" in globals():
    run_script(main, snakemake)
