"""Tables and a page over all recordings that a model was applied to."""

from pathlib import Path

from tfseg.apply.results import read_analysis
from tfseg.apply.summary import write_summary
from tfseg.inference.model_folder import load_model_folder
from tfseg.io.files import read_json
from tfseg.job.runner import run_script


def main(smk):
    """Read what each job found, write the tables and the page."""
    statuses = [read_json(path) for path in smk.input.statuses]
    analyses = [
        read_analysis(Path(folder))
        for folder, status in zip(smk.input.folders, statuses, strict=True)
        if status["error"] is None
    ]
    failures = {(s["name"], s["path"]): s["error"] for s in statuses if s["error"] is not None}
    model = load_model_folder(smk.params.model)
    for note in smk.params.notes:
        print(note)
    write_summary(Path(smk.output.summary).parent, analyses, failures, model, smk.params.notes)


if "snakemake" in globals():
    run_script(main, snakemake)
