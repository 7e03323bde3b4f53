"""Ask a data set's host for sizes and checksums that are not known in advance."""

from tfseg.datasets.registry import ask_record, load_registry
from tfseg.job.runner import run_script


def main(smk):
    """Write what the host states."""
    dataset = load_registry(smk.params.registry)[smk.wildcards.dataset]
    ask_record(dataset, smk.params.hosts, smk.output.stated)


if "snakemake" in globals():
    run_script(main, snakemake)
