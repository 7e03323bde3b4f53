# Host -> archives -> unpacked folders. Folders that lie in data_root already are used as they are.
#
# An archive is not a declared output: Snakemake deletes those before a job runs again, and nobody
# wants to receive 21 GB twice. What is declared is that it was received and verified. For the same
# reason these rules carry no digest of their code.

from tfseg.corpora.registry import load_registry

DATA_ROOT = config["data_root"]
DATASETS = load_registry(config["download"]["registry"])
# Which data set each folder and each archive is of.
FOLDER_OF = {
    folder: name for name, dataset in DATASETS.items() for folder in dataset.folders
}
ARCHIVE_OF = {
    archive: name for name, dataset in DATASETS.items() for archive in dataset.archives
}


def archive_path(archive):
    """Where an archive lies: beside the folders if the user put it there, else in archives/."""
    beside = Path(DATA_ROOT) / archive
    return str(beside if beside.exists() else Path(DATA_ROOT) / "archives" / archive)


def archives_of_folder(wildcards):
    """Paths of the archives that hold a folder."""
    dataset = DATASETS[FOLDER_OF[wildcards.folder]]
    return [archive_path(archive) for archive in dataset.folders[wildcards.folder]]


def arrivals_of_folder(wildcards):
    """What says that the archives of a folder are there: themselves, or a verified download."""
    beside = f"{DATA_ROOT}/archives/"
    return [
        f"{path}.verified.json" if path.startswith(beside) else path
        for path in archives_of_folder(wildcards)
    ]


def record_of(name):
    """Path of what a data set's record stated, as a list; empty when nothing has to be asked."""
    return (
        [f"{DATA_ROOT}/archives/{name}.record.json"]
        if DATASETS[name].asks_record
        else []
    )


wildcard_constraints:
    folder="|".join(FOLDER_OF),
    archive="|".join(ARCHIVE_OF),
    dataset="|".join(DATASETS),


rule ask_record:
    output:
        stated=f"{DATA_ROOT}/archives/{{dataset}}.record.json",
    log:
        f"{RESULTS}/logs/ask_record/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/ask_record/{{dataset}}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        download=1,
        mem_mb=500,
        runtime=10,
    params:
        host=config["download"]["host"],
        registry=config["download"]["registry"],
    message:
        "Asking the record of {wildcards.dataset} for its checksums"
    script:
        "../workflow_scripts/ask_record.py"


rule fetch_archive:
    input:
        stated=lambda wildcards: record_of(ARCHIVE_OF[wildcards.archive]),
    output:
        verified=f"{DATA_ROOT}/archives/{{archive}}.verified.json",
    log:
        f"{RESULTS}/logs/fetch_archive/{{archive}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/fetch_archive/{{archive}}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        download=1,
        mem_mb=500,
        runtime=1440,
    params:
        dataset=lambda wildcards: ARCHIVE_OF[wildcards.archive],
        host=config["download"]["host"],
        registry=config["download"]["registry"],
        retries=config["download"]["retries"],
    message:
        "Downloading {wildcards.archive}"
    script:
        "../workflow_scripts/fetch_archive.py"


rule unpack_folder:
    input:
        arrivals=arrivals_of_folder,
        stated=lambda wildcards: record_of(FOLDER_OF[wildcards.folder]),
    output:
        folder=directory(f"{DATA_ROOT}/{{folder}}"),
    log:
        f"{RESULTS}/logs/unpack_folder/{{folder}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/unpack_folder/{{folder}}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=240,
    params:
        archives=archives_of_folder,
        dataset=lambda wildcards: FOLDER_OF[wildcards.folder],
        host=config["download"]["host"],
        registry=config["download"]["registry"],
    message:
        "Verifying and unpacking {wildcards.folder}"
    script:
        "../workflow_scripts/unpack_folder.py"
