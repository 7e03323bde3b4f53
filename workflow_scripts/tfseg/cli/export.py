"""Write a trained model as one ONNX graph: log-mel in; tags, frame scores and masks out.

The file is written only if ONNX's checker accepts the graph, and onnxruntime agrees with PyTorch.
"""

import argparse
import importlib.util
from pathlib import Path

from tfseg.datasets.licences import announce
from tfseg.errors import ExportError, NotWrittenError, TfsegError
from tfseg.inference.model_folder import load_model_folder

_NAME = "model.onnx"
_LIBRARIES = ("onnx", "onnxruntime", "onnxscript")


def _parser():
    parser = argparse.ArgumentParser(
        prog="tfseg export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit status: 0 done; 1 the file could not be written; 2 wrong usage.",
    )
    parser.add_argument(
        "model", metavar="DIR", help="folder of a trained model, of a system with masks"
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        help=f"file for the graph; default: {_NAME} in the model's folder",
    )
    return parser


def _check_libraries():
    """Refuse to begin without the libraries of the extra ``onnx``."""
    missing = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise ExportError(
            f"ONNX files need {', '.join(missing)}: expected that, found it not installed. Run "
            "pip install 'tfseg[onnx]'"
        )


def main(arguments=None):
    """Run the command; return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    path = Path(options.out or Path(options.model) / _NAME)
    try:
        _check_libraries()
        model = load_model_folder(options.model)
        if path.is_dir():
            raise ExportError(f"{path}: expected the name of a file, found a folder")
        announce(model.description, "the weights of this model")
        # Here, since it imports ONNX, which the message above is for.
        from tfseg.models.export import export_model

        path.parent.mkdir(parents=True, exist_ok=True)
        export_model(model, path)
    except (NotWrittenError, OSError) as error:
        print(f"error: {error}", flush=True)
        return 1
    except TfsegError as error:
        parser.error(str(error))
    print(f"Wrote {path}")
    return 0
