# Scores, mask counts and events -> tidy metrics.


rule score_system:
    input:
        scored=lambda wildcards: files_in(INPUTS.scored_folds(wildcards)),
        mixtures=PATHS.mixtures,
        mixture_events=PATHS.mixture_events,
    output:
        metrics=PATHS.system_metrics,
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
        folds=INPUTS.scored_folds,
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
        parts=expand(PATHS.system_metrics, snr=SNRS, system=SYSTEMS, repeat=REPEATS)
        + ([PATHS.separation_metrics] if EXPERIMENT.separates else []),
    output:
        metrics=report(
            PATHS.metrics,
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
        scored=files_in([one["folds"] for one in INPUTS.scored_systems()]),
        separation=files_in([one["folds"] for one in INPUTS.separated_folds()]),
        mixtures=PATHS.mixtures,
        mixture_events=PATHS.mixture_events,
    output:
        intervals=report(
            PATHS.intervals,
            caption="../report/intervals.rst",
            category="Metrics",
            labels={"table": "95 % intervals (tidy)"},
        ),
        comparisons=report(
            PATHS.comparisons,
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
        scored=INPUTS.scored_systems(),
        separated=INPUTS.separated_folds(),
        systems=SYSTEMS,
        classes=CLASSES,
        grid=grid(),
        metrics=metric_settings(),
        resamples=config["intervals"]["resamples"],
        reference=EXPERIMENT.reference,
        seed=config["seed"],
    message:
        "Resampling clips: intervals, and differences between systems"
    script:
        "../workflow_scripts/compare_systems.py"
