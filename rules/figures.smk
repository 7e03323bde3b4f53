# Example mixture, histories and metrics -> figures.

if IS_CLIPS:

    rule infer_clip_example:
        input:
            models=files_in(INPUTS.example_models()),
            clips=CORPUS["clips"],
            mixtures=PATHS.mixtures,
            mixture_events=PATHS.mixture_events,
        output:
            example=PATHS.example,
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
            models=INPUTS.example_models(),
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
            models=files_in(INPUTS.example_models()),
            stems=PATHS.stems.format(fold=config["figures"]["fold"], shard=0),
            mixture_events=PATHS.mixture_events,
        output:
            example=PATHS.example,
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
            models=INPUTS.example_models(),
            model_code=[code_of_system(system) for system in SYSTEMS],
            classes=CLASSES,
            features=section("features"),
            snr_db=EXPERIMENT.example_snr_db,
            threads=config["inference"]["threads"],
        message:
            "Running every system on the example mixture"
        script:
            "../workflow_scripts/infer_examples.py"


rule plot_figure:
    input:
        unpack(FIGURE_INPUTS.files),
    output:
        png=report(
            PATHS.figure.replace("{ending}", "png"),
            caption="../report/figure.rst",
            category="Figures",
            labels=FIGURE_INPUTS.labels,
        ),
        svg=PATHS.figure.replace("{ending}", "svg"),
    log:
        f"{RESULTS}/logs/plot_figure/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_figure/{{figure}}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=30,
    params:
        code=code("plot_figure"),
        figure_code=figure_code,
        caption=FIGURE_INPUTS.caption,
        given=FIGURE_INPUTS.parameters,
    message:
        "Drawing {wildcards.figure}"
    script:
        "../workflow_scripts/plot_figure.py"
