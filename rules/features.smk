# Stems -> log-mel features and ideal masks of every SNR, in one pass. Ready clips: features only.


if IS_CLIPS:

    rule extract_clip_features:
        input:
            clips=CORPUS["clips"],
            inspection=PATHS.inspection,
        output:
            features=PATHS.features.replace("{snr}", SNRS[0]),
        log:
            f"{RESULTS}/logs/extract_clip_features/fold{{fold}}-{{shard}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/extract_clip_features/fold{{fold}}-{{shard}}.tsv"
        conda:
            "../envs/environment.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=120,
        params:
            code=code("extract_clip_features"),
            classes=CLASSES,
            features=section("features"),
            resampler=config["mixing"]["resampler"],
            n_shards=INPUTS.n_shards,
        message:
            "Extracting features: fold {wildcards.fold}, shard {wildcards.shard}"
        script:
            "../workflow_scripts/extract_clip_features.py"

else:

    rule extract_features:
        input:
            stems=PATHS.stems,
            mixture_events=PATHS.mixture_events,
        output:
            expand(PATHS.features, snr=SNRS, allow_missing=True),
        log:
            f"{RESULTS}/logs/extract_features/fold{{fold}}-{{shard}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/extract_features/fold{{fold}}-{{shard}}.tsv"
        conda:
            "../envs/environment.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=60,
        params:
            code=code("extract_features"),
            classes=CLASSES,
            features=section("features"),
            snr_db=config["mixing"]["snr_db"],
        message:
            "Extracting features: fold {wildcards.fold}, shard {wildcards.shard}, all SNRs"
        script:
            "../workflow_scripts/extract_features.py"
