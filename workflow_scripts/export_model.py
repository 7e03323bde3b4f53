"""Write a trained model as ONNX, checked against PyTorch."""

from pathlib import Path

from tfseg.datasets.licences import announce
from tfseg.inference.model_folder import load_model_folder
from tfseg.job.runner import run_script
from tfseg.models.export import export_model


def main(smk):
    """Load the folder, trace, compare, write."""
    model = load_model_folder(Path(smk.input.model).parent)
    announce(model.description, "the weights of this model")
    export_model(model, smk.output.onnx)


if "snakemake" in globals():
    run_script(main, snakemake)
