"""Tensors and a description in one safetensors file with a checksum."""

import hashlib
import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save

from tfseg.errors import DamagedFileError, DataError
from tfseg.io.files import whole_file

# One metadata key only: safetensors does not keep the order of keys, and files must be
# reproducible.
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
        content = save(tensors, metadata={_KEY: json.dumps(metadata, sort_keys=True)})
        Path(temporary_path).write_bytes(content)


def load_tensors(path):
    """Read a file of `save_tensors`.

    Returns
    -------
    tensors : dict of str to torch.Tensor
        On the CPU.
    description : JSON value

    Raises
    ------
    DataError
        When the file is missing.
    DamagedFileError
        When the file is truncated, altered, or not written by tfseg.
    """
    try:
        # Read at once: safe_open opens the path twice, and a writer may replace it in between.
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: expected a safetensors file, found nothing there") from None
    try:
        tensors = load(content)
        n_header = int.from_bytes(content[:8], "little")
        metadata = json.loads(json.loads(content[8 : 8 + n_header])["__metadata__"][_KEY])
        header = metadata["description"]
        if metadata["sha256"] != _checksum(tensors, header):
            raise ValueError("its checksum is wrong")
        return tensors, json.loads(header)
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise DamagedFileError(
            f"{path}: expected a complete safetensors file of tfseg, found a damaged one "
            f"({error}). Delete the file and run again: only what depends on it is made anew."
        ) from error
