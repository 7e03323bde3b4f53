# Sources of recordings -> corpus tables. No later stage depends on the kind of corpus.


# The job imports the corpus module by name, so the digest of the script does not cover it.
CORPUS_CODE = CODE.of_corpus(SOURCE.corpus)


if SOURCE.corpus.renders:

    rule render_embedded_corpus:
        output:
            recordings=RECORDINGS,
            audio=directory(EMBEDDED_AUDIO[0]),
        log:
            f"{RESULTS}/logs/render_embedded_corpus/corpus.log",
        benchmark:
            f"{RESULTS}/benchmarks/render_embedded_corpus/corpus.tsv"
        conda:
            "../envs/environment.yaml"
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=30,
        params:
            code=code("render_embedded_corpus"),
            corpus_code=CORPUS_CODE,
            kind=KIND,
            classes=CLASSES,
            duration_s=config["mixing"]["duration_s"],
            settings=sorted_keys(SOURCE.corpus.own_settings(config["corpus"])),
            seed=config["seed"],
        message:
            "Rendering the embedded corpus"
        script:
            "../workflow_scripts/render_embedded_corpus.py"

else:

    rule list_recordings:
        input:
            sources=SOURCE.inputs,
        output:
            recordings=RECORDINGS,
        log:
            f"{RESULTS}/logs/list_recordings/recordings.log",
        benchmark:
            f"{RESULTS}/benchmarks/list_recordings/recordings.tsv"
        conda:
            "../envs/environment.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=30,
        params:
            code=code("list_recordings"),
            corpus_code=CORPUS_CODE,
            kind=KIND,
            folder=lambda wildcards: SOURCE.folder,
            choice=sorted_keys(SOURCE.choice),
            state=lambda wildcards: SOURCE.state,
        message:
            "Listing the recordings of {params.kind} in {params.folder}"
        script:
            "../workflow_scripts/list_recordings.py"


rule inspect_recordings:
    input:
        recordings=RECORDINGS,
        audio=EMBEDDED_AUDIO,
    output:
        inspection=INSPECTION,
        report=report(
            CORPUS_REPORT,
            caption="../report/corpus_report.rst",
            category="Corpus",
            labels={"table": "recordings that are not as they should be"},
        ),
    log:
        f"{RESULTS}/logs/inspect_recordings/inspection.log",
    benchmark:
        f"{RESULTS}/benchmarks/inspect_recordings/inspection.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 8
    resources:
        mem_mb=growing(4000),
        runtime=120,
    params:
        code=code("inspect_recordings"),
        state=lambda wildcards: SOURCE.state,
    message:
        "Inspecting every recording"
    script:
        "../workflow_scripts/inspect_recordings.py"


rule prepare_corpus:
    input:
        recordings=RECORDINGS,
        inspection=INSPECTION,
        report=CORPUS_REPORT,
    output:
        **CORPUS,
        licences=LICENCES,
    log:
        f"{RESULTS}/logs/prepare_corpus/corpus.log",
    benchmark:
        f"{RESULTS}/benchmarks/prepare_corpus/corpus.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=10,
    params:
        code=code("prepare_corpus"),
        on_bad_audio=config["corpus"]["on_bad_audio"],
        trim_silence=config["corpus"]["trim_silence"],
        split=section("split"),
        folds=FOLDS,
        held_out=HELD_OUT,
        classes=CLASSES,
        clips_root=DATA_ROOT if IS_CLIPS else None,
        seed=config["seed"],
    message:
        "Checking the corpus and assigning its recordings to folds"
    script:
        "../workflow_scripts/prepare_corpus.py"
