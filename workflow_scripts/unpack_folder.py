"""Verify a folder's archives and unpack them; the folder appears whole or not at all."""

from pathlib import Path

from tfseg.datasets.fetch import problem_of
from tfseg.datasets.registry import check_content, load_registry
from tfseg.datasets.unpack import unpack
from tfseg.errors import DamagedFileError
from tfseg.io.files import read_json
from tfseg.job.progress import bars
from tfseg.job.runner import run_script


def main(smk):
    """Check every archive (the user may have put them there), unpack, check the content."""
    dataset = load_registry(smk.params.registry)[smk.params.dataset]
    name = smk.wildcards.folder
    stated = read_json(smk.input.stated[0]) if smk.input.stated else None
    for path in map(Path, smk.params.archives):
        problem = problem_of(path, dataset.archive(path.name, smk.params.hosts, (), stated))
        if problem:
            raise DamagedFileError(f"{path}: {problem}. Delete it to download it again.")

    def check(folder):
        if dataset.host == "github":
            check_content(folder, stated, bars(f"verifying {name}"))

    unpack(
        smk.params.archives,
        smk.output.folder,
        root=name if dataset.rooted else None,
        check=check,
        progress=bars(f"unpacking {name}"),
    )


if "snakemake" in globals():
    run_script(main, snakemake)
