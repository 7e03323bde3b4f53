# Stems and models -> separated sounds and their scores, for systems with masks.


rule separate_mixtures:
    input:
        models=lambda wildcards: files_in(INPUTS.mask_models(wildcards)),
        stems=INPUTS.held_out_stems,
        mixture_events=PATHS.mixture_events,
    output:
        scores=PATHS.separation_scores,
        examples=directory(PATHS.separated),
    log:
        f"{RESULTS}/logs/separate_mixtures/snr{{snr}}-fold{{fold}}-seed{{repeat}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/separate_mixtures/snr{{snr}}-fold{{fold}}-seed{{repeat}}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: config["separation"]["processes"]
    resources:
        mem_mb=growing(8000),
        runtime=240,
    params:
        code=code("separate_mixtures"),
        models=INPUTS.mask_models,
        classes=CLASSES,
        features=section("features"),
        separation=section(
            "separation",
            "mixtures_per_fold",
            "examples_per_fold",
            "filter_length",
            "competition",
            "floor",
        ),
        snr_db=snr_of,
        tag_threshold=config["metrics"]["tag_threshold"],
        seed=config["seed"],
    message:
        "Separating mixtures at {wildcards.snr} dB, fold {wildcards.fold}"
    script:
        "../workflow_scripts/separate_mixtures.py"


rule score_separation:
    input:
        scores=files_in([one["folds"] for one in INPUTS.separated_folds()]),
    output:
        metrics=PATHS.separation_metrics,
    log:
        f"{RESULTS}/logs/score_separation/metrics.log",
    benchmark:
        f"{RESULTS}/benchmarks/score_separation/metrics.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=30,
    params:
        code=code("score_separation"),
        separated=INPUTS.separated_folds(),
        classes=CLASSES,
    message:
        "Averaging separation scores"
    script:
        "../workflow_scripts/score_separation.py"
