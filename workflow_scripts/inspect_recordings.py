"""Look into every recording once, before anything is mixed; report all that is wrong."""

from tfseg.datasets import corpus_tables, inspection
from tfseg.job.progress import bars
from tfseg.job.runner import run_script


def main(smk):
    """Read the list of recordings, write facts and problems."""
    facts, report = inspection.inspect(
        corpus_tables.read_table(smk.input.recordings, "recordings"),
        processes=smk.threads,
        progress=bars("looking into recordings"),
    )
    corpus_tables.write_table(smk.output.inspection, facts, "inspection")
    corpus_tables.write_table(smk.output.report, report, "corpus_report")
    bad = report.loc[report["severity"] == "error", "path"].nunique()
    warned = report.loc[report["severity"] == "warning", "path"].nunique()
    print(
        f"{len(facts)} recordings: {bad} cannot be used, {warned} with warnings "
        f"({smk.output.report})"
    )


if "snakemake" in globals():
    run_script(main, snakemake)
