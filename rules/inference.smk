# Models -> scores of the held-out fold -> events.


rule infer_scores:
    input:
        model=PATHS.model,
        description=PATHS.description,
        detection=[PATHS.detection] if TUNES else [],
        features=INPUTS.held_out_features,
    output:
        scores=PATHS.scores,
        counts=PATHS.mask_counts,
    log:
        f"{RESULTS}/logs/infer_scores/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/infer_scores/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: config["inference"]["threads"]
    resources:
        gpu=1,
        mem_mb=growing(8000),
        runtime=120,
    params:
        code=code("infer_scores"),
        model_code=model_code,
        precision=config["precision"],
        batch_size=config["inference"]["batch_size"],
        threads=config["inference"]["threads"],
        mask_threshold=config["metrics"]["mask_threshold"],
        has_ideal_masks=not IS_CLIPS,
        scorings=PATHS.scorings,
    message:
        "Scoring fold {wildcards.fold} with {wildcards.system}, SNR {wildcards.snr}"
    script:
        "../workflow_scripts/infer_scores.py"


rule detect_events:
    input:
        scores=PATHS.scores,
        detection=[],
    output:
        events=PATHS.events,
    log:
        f"{RESULTS}/logs/detect_events/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/detect_events/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=30,
    params:
        code=code("detect_events"),
        grid=grid(),
        postprocessing=event_settings(),
        tag_threshold=config["metrics"]["tag_threshold"],
    message:
        "Detecting events: {wildcards.system}, SNR {wildcards.snr}, fold {wildcards.fold}"
    script:
        "../workflow_scripts/detect_events.py"


if TUNES:

    # In addition to the published events: with the tuned thresholds of each fold's own model.
    use rule detect_events as detect_tuned_events with:
        input:
            scores=PATHS.scores,
            detection=[PATHS.detection],
        output:
            events=PATHS.tuned_events,
        log:
            f"{RESULTS}/logs/detect_tuned_events/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/detect_tuned_events/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.tsv"
        message:
            "Detecting events with tuned thresholds: {wildcards.system}, SNR {wildcards.snr}, fold {wildcards.fold}"
