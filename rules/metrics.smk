# Scores, mask counts and events -> tidy metrics.

from tfseg.evaluation.fold_files import keys_of_files

# What is scored of each model; params say which of these files belongs to which fold.
SCORED = [SCORES, MASK_COUNTS, EVENTS, *([DETECTION, TUNED_EVENTS] if TUNES else [])]


rule score_system:
    input:
        scores=expand(SCORES, fold=HELD_OUT, allow_missing=True),
        counts=expand(MASK_COUNTS, fold=HELD_OUT, allow_missing=True),
        events=expand(EVENTS, fold=HELD_OUT, allow_missing=True),
        detections=expand(DETECTION, fold=HELD_OUT, allow_missing=True) if TUNES else [],
        tuned_events=(
            expand(TUNED_EVENTS, fold=HELD_OUT, allow_missing=True) if TUNES else []
        ),
        mixtures=PLAN[0],
        mixture_events=PLAN[1],
    output:
        metrics=SYSTEM_METRICS,
    log:
        f"{RESULTS}/logs/score_system/snr{{snr}}-{{system}}-seed{{repeat}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/score_system/snr{{snr}}-{{system}}-seed{{repeat}}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: config["metrics"]["processes"]
    resources:
        mem_mb=growing(4000),
        runtime=120,
    params:
        code=code("score_system"),
        folds=lambda wildcards: keys_of_files(SCORED, wildcards, fold=HELD_OUT),
        snr_db=snr_of,
        grid=grid(),
        metrics=metric_settings(),
        postprocessing=event_settings(),
    message:
        "Computing metrics of {wildcards.system}, SNR {wildcards.snr}"
    script:
        "../workflow_scripts/score_system.py"


rule collect_metrics:
    input:
        parts=expand(SYSTEM_METRICS, snr=SNRS, system=SYSTEMS, repeat=REPEATS)
        + ([SEPARATION_METRICS] if SEPARATES else []),
    output:
        metrics=report(
            METRICS,
            caption="../report/metrics.rst",
            category="Metrics",
            labels={"table": "all metrics (tidy)"},
        ),
    log:
        f"{RESULTS}/logs/collect_metrics/metrics.log",
    benchmark:
        f"{RESULTS}/benchmarks/collect_metrics/metrics.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        code=code("collect_metrics"),
    message:
        "Collecting all metrics"
    script:
        "../workflow_scripts/collect_metrics.py"


rule compare_systems:
    input:
        scores=expand(SCORES, snr=SNRS, system=SYSTEMS, repeat=REPEATS, fold=HELD_OUT),
        counts=expand(
            MASK_COUNTS, snr=SNRS, system=SYSTEMS, repeat=REPEATS, fold=HELD_OUT
        ),
        events=expand(EVENTS, snr=SNRS, system=SYSTEMS, repeat=REPEATS, fold=HELD_OUT),
        detections=(
            expand(DETECTION, snr=SNRS, system=SYSTEMS, repeat=REPEATS, fold=HELD_OUT)
            if TUNES
            else []
        ),
        tuned_events=(
            expand(
                TUNED_EVENTS, snr=SNRS, system=SYSTEMS, repeat=REPEATS, fold=HELD_OUT
            )
            if TUNES
            else []
        ),
        separation=(
            expand(SEPARATION_SCORES, snr=SNRS, repeat=REPEATS, fold=HELD_OUT)
            if SEPARATES
            else []
        ),
        mixtures=PLAN[0],
        mixture_events=PLAN[1],
    output:
        intervals=report(
            INTERVALS,
            caption="../report/intervals.rst",
            category="Metrics",
            labels={"table": "95 % intervals (tidy)"},
        ),
        comparisons=report(
            COMPARISONS,
            caption="../report/comparisons.rst",
            category="Metrics",
            labels={"table": "differences between systems (tidy)"},
        ),
    log:
        f"{RESULTS}/logs/compare_systems/comparisons.log",
    benchmark:
        f"{RESULTS}/benchmarks/compare_systems/comparisons.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=60,
    params:
        code=code("compare_systems"),
        scored=keys_of_files(
            SCORED, snr=SNRS, system=SYSTEMS, repeat=REPEATS, fold=HELD_OUT
        ),
        separated=(
            keys_of_files([SEPARATION_SCORES], snr=SNRS, repeat=REPEATS, fold=HELD_OUT)
            if SEPARATES
            else {}
        ),
        snrs=SNRS,
        repeats=REPEATS,
        systems=SYSTEMS,
        classes=CLASSES,
        grid=grid(),
        metrics=metric_settings(),
        resamples=config["intervals"]["resamples"],
        reference=config["comparison"]["reference"] or SYSTEMS[0],
        seed=config["seed"],
    message:
        "Resampling clips: intervals, and differences between systems"
    script:
        "../workflow_scripts/compare_systems.py"
