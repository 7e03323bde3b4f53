"""A full disk while a file of each kind is written: an error, and the old file unchanged."""

import ctypes
import os
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

from tfseg.errors import DataError
from tfseg.io.audio import write_wav
from tfseg.io.files import (
    append_rows,
    create_dataset,
    create_description,
    write_csv,
    write_json,
    write_text,
    writing_hdf5,
)
from tfseg.io.tensors import save_tensors
from tfseg.reporting.figures.drawing import save

pytestmark = pytest.mark.full
_SIZES = (4096, 8192, 16384, 65536, 262144, 1048576)  # of the disk, bytes


@pytest.fixture
def disk(tmp_path):
    """Return a function that makes a disk of a size: a real one, held in memory (Linux, root)."""
    libc = ctypes.CDLL(None, use_errno=True)
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = []

    def unmount():
        while mounted:
            libc.umount2(str(mounted.pop()).encode(), 2)

    def mount(size):
        unmount()
        options = f"size={size}".encode()
        if libc.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, options) != 0:
            pytest.skip(
                f"a disk of its own can be mounted by root only: {os.strerror(ctypes.get_errno())}"
            )
        mounted.append(folder)
        return folder

    yield mount
    unmount()


def _hdf5(path, n=40_000):
    rng = np.random.default_rng(0)
    with writing_hdf5(path) as file:
        create_description(file, {"classes": ["a", "b"]})
        rows = create_dataset(
            file, "rows", shape=(0, 64), dtype="f4", chunks=(1, 64), maxshape=(None, 64)
        )
        for _ in range(max(n // 2000, 1)):
            append_rows(rows, rng.normal(size=(10, 64)))
        create_dataset(file, "values", data=rng.normal(size=n))
        file.attrs["classes"] = ["a", "b"]


def _figure(path):
    figure, axes = plt.subplots()
    axes.imshow(np.random.default_rng(0).normal(size=(80, 80)))
    try:
        save(figure, path.with_suffix(".png"), path.with_suffix(".svg"))
    finally:
        plt.close(figure)


def _values(n):
    return np.random.default_rng(1).normal(size=n)


WRITERS = {
    "values.csv": lambda path: write_csv(path, pd.DataFrame({"x": _values(50_000)})),
    "values.tsv": lambda path: write_csv(path, pd.DataFrame({"x": _values(5_000)}), "\t"),
    "values.json": lambda path: write_json(path, _values(50_000).tolist()),
    "values.txt": lambda path: write_text(path, "x" * 2_000_000),
    "values.h5": lambda path: _hdf5(path, 150_000),
    "short.h5": lambda path: _hdf5(path, 100),
    "sound.wav": lambda path: write_wav(path, 0.1 * _values(400_000), 8000, "FLOAT"),
    "short.wav": lambda path: write_wav(path, 0.1 * _values(3_000), 8000, "PCM_16"),
    "model.safetensors": lambda path: save_tensors(path, {"w": torch.ones(300_000)}, {"a": 1}),
    "state.safetensors": lambda path: save_tensors(path, {"w": torch.ones(900)}, {"iteration": 3}),
    "figure.png": _figure,
    "figure.svg": _figure,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_named_and_nothing_is_lost(disk, tally, capfd, name):
    outcomes = set()
    for size in _SIZES:
        folder = disk(size)
        path = folder / name
        path.write_text("old")
        try:
            WRITERS[name](path)
        except DataError as error:
            assert str(path.with_suffix("")) in str(error)
            assert "could not be written: No space left on device" in str(error)
            # A figure is two files, and the first may be written; each is whole or not at all.
            for other in folder.iterdir():
                content = other.read_bytes()
                whole = content.endswith((b"IEND\xaeB`\x82", b"</svg>\n"))
                assert content == b"old" or (name.startswith("figure") and whole)
            assert path.exists()
            outcomes.add("refused")
            tally.add(f"disk full: {name}", "refused")
        else:
            assert path.stat().st_size > 3
            outcomes.add("handled")
            tally.add(f"disk full: {name}", "handled")
    assert "refused" in outcomes
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("name", [name for name in WRITERS if not name.startswith("figure")])
def test_with_space_again_the_same_bytes_are_written(disk, tmp_path, name):
    WRITERS[name](tmp_path / name)
    size = (tmp_path / name).stat().st_size
    folder = disk(4 * size + 65536)
    blocker = folder / "blocker"
    with blocker.open("wb", buffering=0) as stream, pytest.raises(OSError, match="No space left"):
        while True:
            stream.write(b"x" * 4096)
    with pytest.raises(DataError, match="No space left on device"):
        WRITERS[name](folder / name)
    assert list(folder.iterdir()) == [blocker]
    blocker.unlink()
    WRITERS[name](folder / name)
    assert (folder / name).read_bytes() == (tmp_path / name).read_bytes()


def test_a_full_disk_at_any_byte_of_an_hdf5_file(disk, tally, pytestconfig):
    # Without our own writer, HDF5 ends the process here with a segmentation fault.
    for size in range(4096, 200_000, 4096 if pytestconfig.getoption("--long") else 16384):
        path = disk(size) / "values.h5"
        try:
            _hdf5(path, 20_000)
        except DataError as error:
            assert "No space left on device" in str(error)
            assert list(path.parent.iterdir()) == []
            tally.add("disk full: at any byte of an h5", "refused")
        else:
            tally.add("disk full: at any byte of an h5", "handled")


def test_what_a_job_says_on_a_full_disk_reaches_the_console(disk, repository):
    folder = disk(65536)
    (folder / "blocker").write_bytes(b"x" * 61440)
    code = (
        "import sys, types; from pathlib import Path; from tfseg.job.runner import run_script\n"
        "from tfseg.io.files import write_text\n"
        f"folder = Path({str(folder)!r})\n"
        "smk = types.SimpleNamespace(rule='job', wildcards={}, input=[],\n"
        "    output=[str(folder / 'out.txt')], log=[str(folder / 'job.log')])\n"
        f"run_script(lambda smk: (print('said' * 9000), write_text(smk.output[0], 'x' * 99999)), smk,\n"
        f"    Path({str(folder.parent)!r}) / 'locks')\n"
    )
    environment = os.environ | {"PYTHONPATH": str(repository / "workflow_scripts")}
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "error in rule job: " in ended.stderr
    assert "out.txt: could not be written: No space left on device" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "said" in ended.stdout
    assert not (folder / "out.txt").exists()
