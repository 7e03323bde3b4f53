# Trained models -> ONNX files beside them: `snakemake export`.


rule export_model:
    input:
        model=f"{EXPORTED_DIR}/model.safetensors",
        description=f"{EXPORTED_DIR}/model.json",
        detection=f"{EXPORTED_DIR}/detection.json",
    output:
        onnx=EXPORTED,
    log:
        f"{RESULTS}/logs/export_model/{EXPORT_NAME}.log",
    benchmark:
        f"{RESULTS}/benchmarks/export_model/{EXPORT_NAME}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=20,
    params:
        code=code("export_model"),
    message:
        "Writing {output.onnx}"
    script:
        "../workflow_scripts/export_model.py"
