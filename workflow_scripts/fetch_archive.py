"""Download one archive; goes on where an earlier attempt stopped."""

from pathlib import Path

from tfseg.datasets.fetch import fetch
from tfseg.datasets.registry import load_registry
from tfseg.io.files import read_json, write_json
from tfseg.job.progress import bar
from tfseg.job.runner import run_script


def main(smk):
    """Download and verify."""
    name, folder = smk.wildcards.archive, Path(smk.output.verified).parent
    dataset = load_registry(smk.params.registry)[smk.params.dataset]
    print(f"licence of {dataset.title}: {dataset.licence}")
    stated = read_json(smk.input.stated[0]) if smk.input.stated else None
    archive = dataset.archive(name, smk.params.hosts, smk.params.mirrors, stated)
    fetch(
        archive,
        folder,
        retries=smk.params.retries,
        progress=lambda name, total, initial: bar(
            name, total=total, initial=initial, unit="B", unit_scale=True
        ),
    )
    write_json(smk.output.verified, {"bytes": archive.n_bytes, "md5": archive.md5})


if "snakemake" in globals():
    run_script(main, snakemake)
