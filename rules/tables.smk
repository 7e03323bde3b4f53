# Metrics -> the paper's tables.


rule make_tables:
    input:
        metrics=METRICS,
        paper=PAPER_VALUES,
    output:
        [
            report(
                path,
                caption="../report/tables.rst",
                category="Tables",
                labels={
                    "table": Path(path).stem.replace("_", " "),
                    "format": Path(path).suffix[1:],
                },
            )
            for path in TABLES
        ],
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
        mask_systems=MASK_SYSTEMS,
        n_separated=config["separation"]["mixtures_per_fold"],
        systems=SYSTEMS,
        classes=CLASSES,
        snr_db=[None] if IS_CLIPS else config["mixing"]["snr_db"],
        by_class_snr_db=None if IS_CLIPS else config["tables"]["by_class_snr_db"],
        metrics=metric_settings(),
    message:
        "Laying out the tables"
    script:
        "../workflow_scripts/make_tables.py"
