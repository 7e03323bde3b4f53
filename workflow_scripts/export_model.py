"""Write a trained model as ONNX, checked against PyTorch."""

from pathlib import Path

from tfseg.datasets.licences import announce
from tfseg.models.export import export_model
from tfseg.models.folder import load_model_folder
from tfseg.run.job import run_script


def main(smk):
    """Load the folder, trace, compare, write."""
    model = load_model_folder(Path(smk.input.model).parent)
    announce(model.description, "the weights of this model")
    export_model(model, smk.output.onnx)


if "snakemake" in globals():
    run_script(main, snakemake)
