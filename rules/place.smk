# Paths of this workflow's files, from any working directory.

import os
import tempfile
from pathlib import Path


def folder_of(source):
    """Folder of the workflow's own files; where Snakemake has it from a git host, a copy of them.

    Snakemake fetches scripts from there one by one. The library behind them has to lie in a folder.

    Parameters
    ----------
    source : snakemake.sourcecache.SourceFile
        Where the Snakefile lies.

    Returns
    -------
    folder : Path
        Absolute.
    """
    if source.is_local:
        return Path(source.get_path_or_uri(secret_free=True)).resolve()
    commit = source.hosted_repo.repo.commit(source.ref)
    folder = Path(".snakemake", "tfseg", commit.hexsha).resolve()
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = tempfile.mkdtemp(dir=folder.parent)
        commit.repo.clone(unfinished).git.checkout(commit.hexsha)
        os.rename(unfinished, folder)
    return folder
