# Metrics -> the paper's tables, and a leaderboard.


rule make_tables:
    input:
        metrics=PATHS.metrics,
        paper=(
            [of_workflow(f"resources/paper_tables/{config['compare_with']}.csv")]
            if config["compare_with"]
            else []
        ),
    output:
        **{
            name: report(
                path,
                caption="../report/tables.rst",
                category="Tables",
                labels={
                    "table": Path(path).stem.replace("_", " "),
                    "format": Path(path).suffix[1:],
                },
            )
            for name, path in INPUTS.table_files().items()
        },
    log:
        f"{RESULTS}/logs/make_tables/tables.log",
    benchmark:
        f"{RESULTS}/benchmarks/make_tables/tables.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        code=code("make_tables"),
        compare_with=config["compare_with"],
        mask_systems=EXPERIMENT.mask_systems,
        n_separated=config["separation"]["mixtures_per_fold"],
        systems=SYSTEMS,
        classes=CLASSES,
        snr_db=EXPERIMENT.snrs_db,
        by_class_snr_db=EXPERIMENT.by_class_snr_db,
        metrics=metric_settings(),
    message:
        "Laying out the tables"
    script:
        "../workflow_scripts/make_tables.py"


rule make_leaderboard:
    input:
        metrics=PATHS.metrics,
        intervals=PATHS.intervals,
    output:
        **{
            ending: report(
                path,
                caption="../report/leaderboard.rst",
                category="Tables",
                labels={"table": "leaderboard", "format": ending},
            )
            for ending, path in INPUTS.leaderboard("csv", "md", "tex").items()
        },
    log:
        f"{RESULTS}/logs/make_leaderboard/leaderboard.log",
    benchmark:
        f"{RESULTS}/benchmarks/make_leaderboard/leaderboard.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=10,
    params:
        code=code("make_leaderboard"),
        model_code=[code_of_system(system) for system in SYSTEMS],
        systems=SYSTEMS,
        classes=CLASSES,
        grid=grid(),
        n_mels=config["features"]["n_mels"],
        clip_s=EXPERIMENT.clip_s,
        recipes=[
            sorted_keys(
                {
                    "network": RECIPES[system].network,
                    "trunk": RECIPES[system].own_trunk,
                    "pooling": RECIPES[system].own_pooling,
                }
            )
            for system in SYSTEMS
        ],
        baselines=baseline_settings(*SYSTEMS),
        resamples=config["intervals"]["resamples"],
    message:
        "Laying out the leaderboard"
    script:
        "../workflow_scripts/make_leaderboard.py"
