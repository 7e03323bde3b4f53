# Trained models -> ONNX files beside them: `snakemake export`.

# The models of this run, or the model of the config.
EXPORTED_DIR = INPUTS.exported_dir
EXPORT_NAME = (
    "given" if config["model"] else "snr{snr}-{system}-fold{fold}-seed{repeat}"
)


rule export_model:
    input:
        model=f"{EXPORTED_DIR}/model.safetensors",
        description=f"{EXPORTED_DIR}/model.json",
        detection=f"{EXPORTED_DIR}/detection.json",
    output:
        onnx=f"{EXPORTED_DIR}/model.onnx",
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
