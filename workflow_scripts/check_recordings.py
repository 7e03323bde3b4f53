"""End with an error that lists the recordings that could not be analysed, if there are any."""

from pathlib import Path

import pandas as pd

from tfseg.apply.summary import FAILED, WARNED
from tfseg.errors import DataError
from tfseg.io.files import write_text
from tfseg.job.runner import run_script


def main(smk):
    """Say where to look, and what is missing there."""
    table = pd.read_csv(smk.input.recordings, keep_default_na=False)
    failed = table[table["status"] == FAILED]
    print(f"Look at {Path(smk.input.recordings).parent / 'index.html'}")
    for row in table[table["status"] == WARNED].itertuples():
        print(f"WARNING: {row.path}: {row.reason}")
    if len(failed):
        reasons = "\n".join(f"  {row.path}: {row.reason}" for row in failed.itertuples())
        raise DataError(
            f"{len(failed)} of {len(table)} recordings could not be analysed (the others are done):"
            f"\n{reasons}"
        )
    write_text(smk.output.done, f"{len(table)} recordings\n")


if "snakemake" in globals():
    run_script(main, snakemake)
