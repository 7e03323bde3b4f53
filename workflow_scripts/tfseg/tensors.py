"""Tensors and a description in one safetensors file that notices its own damage."""

import hashlib
import json
import os

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from tfseg.errors import DamagedFileError, DataError
from tfseg.files import whole_file

# One metadata key only: safetensors does not keep the order of several, and bytes must repeat.
_KEY = "tfseg"


def _checksum(tensors, header):
    digest = hashlib.sha256(header.encode())
    for name in sorted(tensors):
        values = tensors[name].numpy()
        digest.update(f"{name}\x1f{values.dtype}\x1f{values.shape}\x1f".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


def save_tensors(path, tensors, description=None):
    """Write tensors with a description and a checksum, whole or not at all.

    Parameters
    ----------
    path : path-like
    tensors : dict of str to torch.Tensor
    description : JSON value
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    header = json.dumps(description, sort_keys=True)
    metadata = {"description": header, "sha256": _checksum(tensors, header)}
    with whole_file(path) as temporary_path:
        save_file(tensors, temporary_path, metadata={_KEY: json.dumps(metadata, sort_keys=True)})


def load_tensors(path):
    """Read what `save_tensors` wrote.

    Returns
    -------
    tensors : dict of str to torch.Tensor
        On the CPU.
    description : JSON value

    Raises
    ------
    DataError
        When there is no such file.
    DamagedFileError
        When the file is truncated, altered, or not tfseg's.
    """
    if not os.path.exists(path):
        raise DataError(f"{path}: expected a safetensors file, found nothing there")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = json.loads(file.metadata()[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        header = metadata["description"]
        if metadata["sha256"] != _checksum(tensors, header):
            raise ValueError("its checksum is another")
        return tensors, json.loads(header)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise DamagedFileError(
            f"{path}: expected a complete safetensors file of tfseg, found a damaged one "
            f"({error}). Delete the file and run again: only what depends on it is made anew."
        ) from error
