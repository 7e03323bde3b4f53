import json

import pytest
import torch
from safetensors.torch import save_file

from tfseg.errors import DamagedFileError, DataError
from tfseg.io.tensors import load_tensors, save_tensors

DESCRIPTION = {"iteration": 7, "history": [[1, 0.1 + 0.2, None]], "names": {"b": 1, "a": "ü"}}


def _tensors():
    generator = torch.Generator().manual_seed(0)
    return {
        "weights": torch.rand(5, 4, generator=generator),
        "steps": torch.tensor(3),
        "empty": torch.zeros(0, 3),
        "half": torch.rand(7, generator=generator).half(),
    }


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "state.safetensors"
    save_tensors(path, _tensors(), DESCRIPTION)
    return path


def test_tensors_and_description_come_back_as_they_were(saved):
    tensors, description = load_tensors(saved)
    assert description == DESCRIPTION
    assert set(tensors) == set(_tensors())
    for name, value in _tensors().items():
        assert tensors[name].dtype == value.dtype
        assert torch.equal(tensors[name], value)


def test_a_description_is_not_needed(tmp_path):
    save_tensors(tmp_path / "a", {"x": torch.ones(2)})
    assert load_tensors(tmp_path / "a")[1] is None


def test_equal_contents_give_equal_bytes(saved, tmp_path):
    other = tmp_path / "other.safetensors"
    reordered = dict(reversed(_tensors().items()))
    reordered["weights"] = reordered["weights"].t().contiguous().t().requires_grad_()
    save_tensors(other, reordered, dict(reversed(DESCRIPTION.items())))
    assert other.read_bytes() == saved.read_bytes()
    assert sorted(tmp_path.iterdir()) == [other, saved]


def test_a_flipped_bit_is_noticed_wherever_it_is(saved, flip):
    content = saved.read_bytes()
    silent = []
    for position in range(0, len(content), 3):
        saved.write_bytes(content)
        flip(saved, position, 1 << position % 8)
        try:
            tensors, description = load_tensors(saved)
        except DamagedFileError as error:
            assert "state.safetensors: expected a complete safetensors file" in str(error)
        else:
            same = description == DESCRIPTION and all(
                torch.equal(tensors[name], value) and tensors[name].dtype == value.dtype
                for name, value in _tensors().items()
            )
            if not same:
                silent.append(position)
    assert silent == []


@pytest.mark.parametrize("size", [0, 4, 9, 300, -1])
def test_a_truncated_file_is_refused_by_name(saved, size):
    saved.write_bytes(saved.read_bytes()[:size])
    with pytest.raises(DamagedFileError, match=r"state\.safetensors: .*damaged.*Delete the file"):
        load_tensors(saved)


@pytest.mark.parametrize("metadata", [None, {"other": "1"}, {"tfseg": "{"}, {"tfseg": "{}"}])
def test_somebody_elses_file_is_refused_by_name(tmp_path, metadata):
    save_file(_tensors(), tmp_path / "a.safetensors", metadata=metadata)
    with pytest.raises(DamagedFileError, match=r"a\.safetensors: .*of tfseg"):
        load_tensors(tmp_path / "a.safetensors")


@pytest.mark.parametrize("content", [b"text" * 100, json.dumps({"a": 1}).encode()])
def test_something_else_is_refused_by_name(tmp_path, content):
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"a\.safetensors: expected"):
        load_tensors(tmp_path / "a.safetensors")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"a\.safetensors: expected a safetensors file, found noth"):
        load_tensors(tmp_path / "a.safetensors")
