"""Tables and a page over all recordings that a model was applied to."""

from pathlib import Path

from tfseg.apply.events_table import NO_PARQUET, missing_for_parquet
from tfseg.apply.results import analyses_in
from tfseg.apply.summary import write_summary
from tfseg.inference.model_folder import load_model_folder
from tfseg.io.files import read_json
from tfseg.job.runner import run_script


def main(smk):
    """Read what each job found, write the tables and the page."""
    statuses = [read_json(path) for path in smk.input.statuses]
    done = {s["name"]: s["path"] for s in statuses if s["error"] is None}
    failures = {(s["name"], s["path"]): s["error"] for s in statuses if s["error"] is not None}
    model = load_model_folder(smk.params.model)
    for note in [*smk.params.notes, *([NO_PARQUET] if missing_for_parquet() else [])]:
        print(note)
    out = Path(smk.output.summary).parent
    write_summary(out, analyses_in(out, done), failures, model, smk.params.notes)


if "snakemake" in globals():
    run_script(main, snakemake)
