# All results -> the report, with audio examples.


rule infer_listening:
    input:
        models=files_in(INPUTS.example_models()),
        scored=files_in(INPUTS.listened()),
        mixtures=PATHS.mixtures,
        mixture_events=PATHS.mixture_events,
        stems=(
            []
            if IS_CLIPS
            else INPUTS.of_shards(PATHS.stems, [config["figures"]["fold"]])
        ),
        clips=[CORPUS["clips"]] if IS_CLIPS else [],
    output:
        listening=PATHS.listening,
    log:
        f"{RESULTS}/logs/infer_listening/listening.log",
    benchmark:
        f"{RESULTS}/benchmarks/infer_listening/listening.tsv"
    conda:
        "../envs/environment.yaml"
    threads: config["inference"]["threads"]
    resources:
        mem_mb=growing(4000),
        runtime=60,
    params:
        code=code("infer_listening"),
        models=INPUTS.example_models(),
        scored=INPUTS.listened(),
        model_code=[code_of_system(system) for system in SYSTEMS],
        classes=CLASSES,
        features=section("features"),
        metrics=metric_settings(),
        snr_db=EXPERIMENT.example_snr_db,
        resampler=config["mixing"]["resampler"],
        threads=config["inference"]["threads"],
    message:
        "Running every system on the clips of the listening page"
    script:
        "../workflow_scripts/infer_listening.py"


rule make_report:
    input:
        listening=PATHS.listening,
        scores=files_in(INPUTS.example_scores()),
        models=files_in(INPUTS.example_models()),
        tables=files_in(INPUTS.tables("csv", "md")),
        leaderboard=files_in(INPUTS.leaderboard("csv", "md")),
        figures=expand(PATHS.figure, figure=FIGURES, ending="png"),
        licences=PATHS.licences,
        deviations=of_workflow("resources/deviations.yaml"),
    output:
        page=report(
            PATHS.report,
            caption="../report/report.rst",
            category="Report",
            labels={"page": "what was run, tables, figures, sounds"},
        ),
        files=directory(PATHS.report_files),
    log:
        f"{RESULTS}/logs/make_report/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/make_report/report.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=10,
    params:
        code=code("make_report"),
        templates=templates_code(),
        config=EXPERIMENT.reported(),
        changes=own_changes(),
        models=INPUTS.example_models(),
        scores=INPUTS.example_scores(),
        tables=INPUTS.tables("csv", "md"),
        leaderboard=INPUTS.leaderboard("csv", "md"),
        figures=FIGURE_INPUTS.for_report(),
        classes=CLASSES,
        snr_db=EXPERIMENT.example_snr_db,
        by_class_snr_db=EXPERIMENT.by_class_snr_db,
        tag_threshold=config["metrics"]["tag_threshold"],
        benchmarks=f"{RESULTS}/benchmarks",
    message:
        "Laying out the report"
    script:
        "../workflow_scripts/make_report.py"
