# Host -> archives -> unpacked folders. Folders that are already in data_root are used unchanged.
#
# An archive is not a declared output: Snakemake deletes outputs before a job runs again, and up to
# 21 GB would be downloaded again. The output is a record that the archive was received and
# verified. For the same reason these rules have no digest of their code.


# On Snakemake's own machine: the nodes of a cluster often have no network access.
localrules:
    ask_record,
    fetch_archive,


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
        mem_mb=growing(500),
        runtime=10,
    params:
        hosts=section("download")["hosts"],
        registry=REGISTRY,
    message:
        f"Asking the host of {{wildcards.dataset}} what it holds, to download it to {DATA_ROOT}"
    script:
        "../workflow_scripts/ask_record.py"


rule fetch_archive:
    input:
        stated=lambda wildcards: DOWNLOADS.record_of(
            DOWNLOADS.archives[wildcards.archive]
        ),
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
        mem_mb=growing(500),
        runtime=1440,
    params:
        dataset=lambda wildcards: DOWNLOADS.archives[wildcards.archive],
        hosts=section("download")["hosts"],
        mirrors=config["download"]["mirrors"],
        registry=REGISTRY,
        retries=config["download"]["retries"],
    message:
        f"Downloading {{wildcards.archive}} to {DATA_ROOT}"
    script:
        "../workflow_scripts/fetch_archive.py"


rule unpack_folder:
    input:
        arrivals=lambda wildcards: DOWNLOADS.arrivals_of(wildcards.folder),
        stated=lambda wildcards: DOWNLOADS.record_of(
            DOWNLOADS.folders[wildcards.folder]
        ),
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
        mem_mb=growing(1000),
        runtime=240,
    params:
        archives=lambda wildcards: DOWNLOADS.archives_of(wildcards.folder),
        dataset=lambda wildcards: DOWNLOADS.folders[wildcards.folder],
        hosts=section("download")["hosts"],
        registry=REGISTRY,
    message:
        "Verifying and unpacking {wildcards.folder}"
    script:
        "../workflow_scripts/unpack_folder.py"
