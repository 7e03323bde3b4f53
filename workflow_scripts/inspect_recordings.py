"""Look into every recording once, before anything is mixed; report all that is wrong."""

from tfseg.corpora import inspection, tables
from tfseg.progress import bars
from tfseg.workflow import run_script


def main(smk):
    """Read the list of recordings, write facts and problems."""
    facts, report = inspection.inspect(
        tables.read_table(smk.input.recordings, "recordings"),
        processes=smk.threads,
        progress=bars("looking into recordings"),
    )
    tables.write_table(smk.output.inspection, facts, "inspection")
    tables.write_table(smk.output.report, report, "corpus_report")
    bad = report.loc[report["severity"] == "error", "path"].nunique()
    warned = report.loc[report["severity"] == "warning", "path"].nunique()
    print(
        f"{len(facts)} recordings: {bad} cannot be used, {warned} with warnings "
        f"({smk.output.report})"
    )


if "snakemake" in globals():
    run_script(main, snakemake)
