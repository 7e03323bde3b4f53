# Features of the training folds -> one model per SNR, system, fold and repeat.


rule train_model:
    input:
        features=training_features,
        licences=LICENCES,
    output:
        model=MODEL,
        description=DESCRIPTION,
        history=HISTORY,
    log:
        f"{RESULTS}/logs/train_model/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_model/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: config["training"]["threads"]
    resources:
        gpu=1,
        mem_mb=12000,
        runtime=720,
    params:
        code=code("train_model"),
        training_code=training_code,
        training=section("training"),
        precision=config["precision"],
        trunk=section("trunk"),
        pooling=section("pooling"),
        baselines=lambda wildcards: baseline_settings(wildcards.system),
        seed=config["seed"],
        snr_db=snr_of,
        state=STATE,
    message:
        "Training {wildcards.system}, SNR {wildcards.snr}, held-out fold {wildcards.fold}, repeat {wildcards.repeat}"
    script:
        "../workflow_scripts/train_model.py"
