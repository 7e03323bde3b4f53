"""Write a trained model as ONNX, checked against PyTorch."""

from pathlib import Path

from tfseg.export import export_model
from tfseg.licences import announce
from tfseg.model_folder import load_model_folder
from tfseg.workflow import run_script


def main(smk):
    """Load the folder, trace, compare, write."""
    model = load_model_folder(Path(smk.input.model).parent)
    announce(model.description, "the weights of this model")
    export_model(model, smk.output.onnx)


if "snakemake" in globals():
    run_script(main, snakemake)
