# Everything -> a page to look at and listen to.


rule infer_listening:
    input:
        **EXAMPLE_MODELS,
        scores=expand(
            SCORES,
            snr=EXAMPLE_SNR,
            system=SYSTEMS,
            fold=config["figures"]["fold"],
            repeat=REPEATS[0],
        ),
        counts=expand(
            MASK_COUNTS,
            snr=EXAMPLE_SNR,
            system=SYSTEMS,
            fold=config["figures"]["fold"],
            repeat=REPEATS[0],
        ),
        events=expand(
            EVENTS,
            snr=EXAMPLE_SNR,
            system=SYSTEMS,
            fold=config["figures"]["fold"],
            repeat=REPEATS[0],
        ),
        mixtures=PLAN[0],
        mixture_events=PLAN[1],
        stems=[] if IS_CLIPS else of_shards(STEMS, [config["figures"]["fold"]]),
        clips=[CORPUS["clips"]] if IS_CLIPS else [],
    output:
        listening=LISTENING,
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
        systems=SYSTEMS,
        model_code=[code_of_system(system) for system in SYSTEMS],
        classes=CLASSES,
        features=section("features"),
        metrics=metric_settings(),
        snr_db=None if IS_CLIPS else config["figures"]["snr_db"],
        resampler=config["mixing"]["resampler"],
        threads=config["inference"]["threads"],
    message:
        "Running every system on the clips of the listening page"
    script:
        "../workflow_scripts/infer_listening.py"


rule make_report:
    input:
        listening=LISTENING,
        scores=expand(
            SCORES, snr=EXAMPLE_SNR, system=SYSTEMS, fold=HELD_OUT, repeat=REPEATS
        ),
        descriptions=EXAMPLE_MODELS["descriptions"],
        tables=[path for path in TABLES if not path.endswith(".tex")],
        leaderboard=[path for path in LEADERBOARD if not path.endswith(".tex")],
        figures=[path for path in FIGURES if path.endswith(".png")],
        captions=[
            f"report/{Path(path).stem}.rst"
            for path in FIGURES
            if path.endswith(".png")
        ],
        licences=LICENCES,
        deviations="resources/deviations.yaml",
    output:
        page=report(
            REPORT,
            caption="../report/report.rst",
            category="Report",
            labels={"page": "what was run, tables, figures, sounds"},
        ),
        files=directory(REPORT_FILES),
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
        config=reported_config(config),
        changes=own_changes(),
        systems=SYSTEMS,
        scored_systems=[system for system in SYSTEMS for _ in HELD_OUT for _ in REPEATS],
        classes=CLASSES,
        example_snr=EXAMPLE_SNR,
        tag_threshold=config["metrics"]["tag_threshold"],
        benchmarks=f"{RESULTS}/benchmarks",
    message:
        "Laying out the report"
    script:
        "../workflow_scripts/make_report.py"
