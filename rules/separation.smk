# Stems and models -> separated sounds and their scores, for systems with masks.


rule separate_mixtures:
    input:
        models=expand(MODEL, system=MASK_SYSTEMS, allow_missing=True),
        descriptions=expand(DESCRIPTION, system=MASK_SYSTEMS, allow_missing=True),
        stems=lambda wildcards: of_shards(STEMS, [wildcards.fold]),
        mixture_events=PLAN[1],
    output:
        scores=SEPARATION_SCORES,
        examples=directory(SEPARATED),
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
        systems=MASK_SYSTEMS,
        classes=CLASSES,
        features=section("features"),
        separation=section(
            "separation", "mixtures_per_fold", "examples_per_fold", "filter_length"
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
        scores=expand(SEPARATION_SCORES, snr=SNRS, fold=HELD_OUT, repeat=REPEATS),
    output:
        metrics=SEPARATION_METRICS,
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
        scored=[
            [float(snr), fold, repeat]
            for snr in SNRS
            for fold in HELD_OUT
            for repeat in REPEATS
            if not IS_CLIPS
        ],
        classes=CLASSES,
    message:
        "Averaging separation scores"
    script:
        "../workflow_scripts/score_separation.py"
