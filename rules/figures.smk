# Example mixture, histories and metrics -> figures.


EXAMPLE_MODELS = {
    "models": expand(
        MODEL,
        snr=EXAMPLE_SNR,
        system=SYSTEMS,
        fold=config["figures"]["fold"],
        repeat=REPEATS[0],
    ),
    "descriptions": expand(
        DESCRIPTION,
        snr=EXAMPLE_SNR,
        system=SYSTEMS,
        fold=config["figures"]["fold"],
        repeat=REPEATS[0],
    ),
}

if IS_CLIPS:

    rule infer_clip_example:
        input:
            **EXAMPLE_MODELS,
            clips=CORPUS["clips"],
            mixtures=PLAN[0],
            mixture_events=PLAN[1],
        output:
            example=EXAMPLE,
        log:
            f"{RESULTS}/logs/infer_clip_example/example.log",
        benchmark:
            f"{RESULTS}/benchmarks/infer_clip_example/example.tsv"
        conda:
            "../envs/environment.yaml"
        threads: config["inference"]["threads"]
        resources:
            mem_mb=growing(4000),
            runtime=30,
        params:
            code=code("infer_clip_example"),
            systems=SYSTEMS,
            model_code=[code_of_system(system) for system in SYSTEMS],
            classes=CLASSES,
            features=section("features"),
            fold=config["figures"]["fold"],
            resampler=config["mixing"]["resampler"],
            threads=config["inference"]["threads"],
        message:
            "Running every system on the example clip"
        script:
            "../workflow_scripts/infer_clip_example.py"

else:

    rule infer_examples:
        input:
            **EXAMPLE_MODELS,
            stems=expand(STEMS, fold=config["figures"]["fold"], shard=0)[0],
            mixture_events=PLAN[1],
        output:
            example=EXAMPLE,
        log:
            f"{RESULTS}/logs/infer_examples/example.log",
        benchmark:
            f"{RESULTS}/benchmarks/infer_examples/example.tsv"
        conda:
            "../envs/environment.yaml"
        threads: config["inference"]["threads"]
        resources:
            mem_mb=growing(4000),
            runtime=30,
        params:
            code=code("infer_examples"),
            systems=SYSTEMS,
            model_code=[code_of_system(system) for system in SYSTEMS],
            classes=CLASSES,
            features=section("features"),
            snr_db=config["figures"]["snr_db"],
            threads=config["inference"]["threads"],
        message:
            "Running every system on the example mixture"
        script:
            "../workflow_scripts/infer_examples.py"


rule plot_example:
    input:
        example=EXAMPLE,
    output:
        mixture_png=report(
            FIGURES[0],
            caption="../report/example_mixture.rst",
            category="Figures",
            labels={"figure": "a mixture (TASLP Fig. 1)"},
        ),
        mixture_svg=FIGURES[1],
        masks_png=report(
            FIGURES[2],
            caption="../report/example_masks.rst",
            category="Figures",
            labels={"figure": "its masks (TASLP Fig. 7)"},
        ),
        masks_svg=FIGURES[3],
        frames_png=report(
            FIGURES[4],
            caption="../report/example_frames.rst",
            category="Figures",
            labels={"figure": "its frame scores (TASLP Fig. 8)"},
        ),
        frames_svg=FIGURES[5],
        classes_png=report(
            FIGURES[10],
            caption="../report/masks_by_class.rst",
            category="Figures",
            labels={"figure": "masks of each class (JSC Fig. 3)"},
        ),
        classes_svg=FIGURES[11],
    log:
        f"{RESULTS}/logs/plot_example/example.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_example/example.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=10,
    params:
        code=code("plot_example"),
    message:
        "Drawing the example mixture"
    script:
        "../workflow_scripts/plot_example.py"


rule plot_training:
    input:
        histories=expand(
            HISTORY, snr=SNRS, system=SYSTEMS, fold=HELD_OUT, repeat=REPEATS
        ),
    output:
        png=report(
            FIGURES[6],
            caption="../report/training.rst",
            category="Figures",
            labels={"figure": "training curves"},
        ),
        svg=FIGURES[7],
    log:
        f"{RESULTS}/logs/plot_training/training.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_training/training.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        code=code("plot_training"),
        systems=SYSTEMS,
        names=expand(
            "{snr} {system} {fold} {repeat}",
            snr=SNRS,
            system=SYSTEMS,
            fold=HELD_OUT,
            repeat=REPEATS,
        ),
    message:
        "Drawing training curves"
    script:
        "../workflow_scripts/plot_training.py"


rule plot_metrics:
    input:
        metrics=METRICS,
    output:
        png=report(
            FIGURES[8],
            caption="../report/metrics_by_snr.rst",
            category="Figures",
            labels={"figure": "metrics against SNR"},
        ),
        svg=FIGURES[9],
    log:
        f"{RESULTS}/logs/plot_metrics/metrics.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_metrics/metrics.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        code=code("plot_metrics"),
        systems=SYSTEMS,
    message:
        "Drawing metrics against SNR"
    script:
        "../workflow_scripts/plot_metrics.py"


rule plot_thresholds:
    input:
        scores=expand(
            SCORES, snr=EXAMPLE_SNR, system=SYSTEMS, fold=HELD_OUT, repeat=REPEATS[0]
        ),
        counts=expand(
            MASK_COUNTS,
            snr=EXAMPLE_SNR,
            system=SYSTEMS,
            fold=HELD_OUT,
            repeat=REPEATS[0],
        ),
        mixtures=PLAN[0],
        mixture_events=PLAN[1],
    output:
        png=report(
            FIGURES[12],
            caption="../report/f1_by_threshold.rst",
            category="Figures",
            labels={"figure": "F1 against the threshold"},
        ),
        svg=FIGURES[13],
    log:
        f"{RESULTS}/logs/plot_thresholds/thresholds.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_thresholds/thresholds.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=30,
    params:
        code=code("plot_thresholds"),
        systems=SYSTEMS,
        scored_systems=[system for system in SYSTEMS for _ in HELD_OUT],
        snr_db=math.nan if IS_CLIPS else config["figures"]["snr_db"],
        grid=grid(),
        metrics=metric_settings(),
    message:
        "Drawing F1 against the threshold"
    script:
        "../workflow_scripts/plot_thresholds.py"
