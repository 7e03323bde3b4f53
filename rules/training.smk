# Features of the training folds -> one model per SNR, system, fold and repeat, as a folder that can
# be copied.


rule train_model:
    input:
        unpack(INPUTS.teacher_model),
        unpack(INPUTS.start_model),
        features=INPUTS.training_features,
        licences=PATHS.licences,
    output:
        model=PATHS.model,
        description=PATHS.description,
        history=PATHS.history,
    log:
        f"{RESULTS}/logs/train_model/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_model/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: config["training"]["threads"]
    resources:
        gpu=1,
        mem_mb=growing(12000),
        runtime=720,
    params:
        code=training_code,
        network=lambda wildcards: RECIPES[wildcards.system].network,
        teacher=lambda wildcards: RECIPES[wildcards.system].teacher,
        start=INPUTS.start_digest,
        training=lambda wildcards: sorted_keys(RECIPES[wildcards.system].own_training),
        corpus=KIND,
        mixing=section("mixing", *([] if IS_CLIPS else ["duration_s"]), "resampler"),
        precision=config["precision"],
        trunk=lambda wildcards: sorted_keys(RECIPES[wildcards.system].own_trunk),
        pooling=lambda wildcards: sorted_keys(RECIPES[wildcards.system].own_pooling),
        baselines=lambda wildcards: baseline_settings(wildcards.system),
        seed=config["seed"],
        snr_db=snr_of,
        state=PATHS.state,
        # Of a function of resources, since a change of such a parameter runs nothing again.
        tensorboard=lambda wildcards, resources: INPUTS.tensorboard_folder(wildcards),
    message:
        "Training {wildcards.system}, SNR {wildcards.snr}, held-out fold {wildcards.fold}, repeat {wildcards.repeat}"
    script:
        "../workflow_scripts/train_model.py"


if TUNES:

    rule tune_detection:
        input:
            model=PATHS.model,
            description=PATHS.description,
            features=INPUTS.training_features,
            mixtures=PATHS.mixtures,
            mixture_events=PATHS.mixture_events,
        output:
            detection=PATHS.detection,
            tuning=PATHS.tuning,
        log:
            f"{RESULTS}/logs/tune_detection/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/tune_detection/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.tsv"
        conda:
            "../envs/environment.yaml"
        threads: config["inference"]["threads"]
        resources:
            gpu=1,
            mem_mb=growing(8000),
            runtime=120,
        params:
            code=code("tune_detection"),
            model_code=model_code,
            precision=config["precision"],
            batch_size=config["inference"]["batch_size"],
            threads=config["inference"]["threads"],
            has_ideal_masks=not IS_CLIPS,
            thresholds=fixed_thresholds(),
            postprocessing=event_settings(),
            collars=section("metrics", "collar_s", "offset_fraction"),
        message:
            "Choosing thresholds of {wildcards.system}, SNR {wildcards.snr}, held-out fold {wildcards.fold}, repeat {wildcards.repeat}"
        script:
            "../workflow_scripts/tune_detection.py"


# A second of work for each training, which is too short for a cluster's queue.
localrules:
    describe_model,


rule describe_model:
    input:
        description=PATHS.description,
        detection=[PATHS.detection] if TUNES else [],
        template=of_workflow("resources/model_card.md.jinja"),
    output:
        **({} if TUNES else {"detection": PATHS.detection}),
        card=PATHS.model_card,
    log:
        f"{RESULTS}/logs/describe_model/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/describe_model/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=10,
    params:
        code=code("describe_model"),
        thresholds=fixed_thresholds(),
        postprocessing=event_settings(),
    message:
        "Describing the model {wildcards.system}, SNR {wildcards.snr}, held-out fold {wildcards.fold}, repeat {wildcards.repeat}"
    script:
        "../workflow_scripts/describe_model.py"
