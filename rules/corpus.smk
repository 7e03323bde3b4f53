# Sources of sound -> corpus tables. Nothing after this stage knows which corpus it works on.

if config["corpus"]["kind"] == "embedded":

    rule prepare_embedded_corpus:
        output:
            events=CORPUS[0],
            scenes=CORPUS[1],
            attribution=CORPUS[2],
            audio=directory(EMBEDDED_AUDIO[0]),
        log:
            f"{RESULTS}/logs/prepare_embedded_corpus/corpus.log",
        benchmark:
            f"{RESULTS}/benchmarks/prepare_embedded_corpus/corpus.tsv"
        conda:
            "../envs/environment.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=30,
        params:
            code=code("prepare_embedded_corpus"),
            classes=CLASSES,
            folds=FOLDS,
            duration_s=config["mixing"]["duration_s"],
            embedded=sorted_keys(config["corpus"]["embedded"]),
            seed=config["seed"],
        message:
            "Rendering the embedded corpus"
        script:
            "../workflow_scripts/prepare_embedded_corpus.py"

else:

    rule prepare_dcase2018_corpus:
        input:
            folders=expand(f"{DATA_ROOT}/{{folder}}", folder=FOLDER_OF),
        output:
            events=CORPUS[0],
            scenes=CORPUS[1],
            attribution=CORPUS[2],
        log:
            f"{RESULTS}/logs/prepare_dcase2018_corpus/corpus.log",
        benchmark:
            f"{RESULTS}/benchmarks/prepare_dcase2018_corpus/corpus.tsv"
        conda:
            "../envs/environment.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=60,
        params:
            code=code("prepare_dcase2018_corpus"),
            data_root=lambda wildcards, input: str(Path(input.folders[0]).parent),
            classes=CLASSES,
            folds=FOLDS,
            seed=config["seed"],
        message:
            "Reading FSDKaggle2018 and TUT Urban Acoustic Scenes 2018 in {params.data_root}"
        script:
            "../workflow_scripts/prepare_dcase2018_corpus.py"
