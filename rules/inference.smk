# Models -> scores of the held-out fold -> events.


rule infer_scores:
    input:
        model=MODEL,
        description=DESCRIPTION,
        features=held_out_features,
    output:
        scores=SCORES,
        counts=[] if IS_CLIPS else MASK_COUNTS,
    log:
        f"{RESULTS}/logs/infer_scores/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/infer_scores/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: config["inference"]["threads"]
    resources:
        gpu=1,
        mem_mb=8000,
        runtime=120,
    params:
        code=code("infer_scores"),
        batch_size=config["inference"]["batch_size"],
        threads=config["inference"]["threads"],
        mask_threshold=None if IS_CLIPS else config["metrics"]["mask_threshold"],
    message:
        "Scoring fold {wildcards.fold} with {wildcards.system} at {wildcards.snr} dB"
    script:
        "../workflow_scripts/infer_scores.py"


rule detect_events:
    input:
        scores=SCORES,
    output:
        events=EVENTS,
    log:
        f"{RESULTS}/logs/detect_events/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/detect_events/snr{{snr}}-{{system}}-fold{{fold}}-seed{{repeat}}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("detect_events"),
        grid=grid(),
        postprocessing=section("postprocessing"),
        tag_threshold=config["metrics"]["tag_threshold"],
    message:
        "Detecting events: {wildcards.system} at {wildcards.snr} dB, fold {wildcards.fold}"
    script:
        "../workflow_scripts/detect_events.py"
