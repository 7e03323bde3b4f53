"""Truncated files, or files with a flipped bit: an error with the name, or no value changes."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import soundfile
import torch
from workflow_project import TINY, Project

from tfseg.datasets.inspection import check_unchanged, inspect
from tfseg.datasets.recordings import recordings
from tfseg.errors import DamagedFileError, DataError
from tfseg.evaluation.scoring import read_fold_scores
from tfseg.features.feature_set import load_features
from tfseg.features.time_grid import TimeGrid
from tfseg.io.files import create_dataset, read_description, reading_hdf5, write_text, writing_hdf5
from tfseg.io.tensors import load_tensors, save_tensors
from tfseg.job.runner import run_script
from tfseg.mixing.remixing import StemReader
from tfseg.reporting.examples import read_example

pytestmark = pytest.mark.full


@pytest.fixture
def n_flips(pytestconfig):
    return 2000 if pytestconfig.getoption("--long") else 200


def _plain(value):
    """The result of a reader in a form that can be compared."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, torch.Tensor):
        value = value.numpy()
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if hasattr(value, "__dict__"):
        return _plain(vars(value))
    return repr(value)


def _flip_everywhere(path, read, tally, kind, n_flips, seed=0):
    """Flip one random bit at a time; return the number of noticed flips."""
    content = path.read_bytes()
    expected = _plain(read())
    rng = np.random.default_rng(seed)
    n_noticed = 0
    for position in rng.integers(len(content), size=n_flips):
        spoiled = bytearray(content)
        spoiled[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(spoiled)
        try:
            found = read()
        except DamagedFileError as error:
            assert path.name in str(error)
            tally.add(kind, "refused")
            n_noticed += 1
        else:
            assert _plain(found) == expected, f"{path}: byte {position} changed a value in silence"
            tally.add(kind, "handled")
    path.write_bytes(content)
    return n_noticed


def _cut_everywhere(path, read, tally, kind, n_cuts=40):
    content = path.read_bytes()
    for size in np.unique(np.linspace(0, len(content) - 1, n_cuts).astype(int)):
        path.write_bytes(content[:size])
        with pytest.raises(DamagedFileError, match=path.name):
            read()
        tally.add(kind, "refused")
    path.write_bytes(content)


def _all_of(path):
    """Every dataset of an HDF5 file."""
    with reading_hdf5(path) as file:
        return {name: file[name][()] for name in sorted(file)}


@pytest.fixture
def a_copy(finished, tmp_path):
    """Return a function that copies a file of the finished run, to damage it."""

    def copy(name):
        return Path(shutil.copy(finished.folder / "results" / "tiny" / name, tmp_path))

    return copy


def _stems(path):
    reader = StemReader(path)
    return [reader.mixtures, list(reader)]


def _counts(path):
    with reading_hdf5(path) as file:
        has = bool(file.attrs["has_counts"])
        return has, [file[name][:] for name in ("total", "positive", "predicted", "hit") if has]


HDF5 = {
    "mixtures/stems/fold1-0.h5": _stems,
    "features/snr0/fold1-0.h5": lambda path: load_features([path]),
    "scores/snr0/gwrp/fold1/seed0/scores.h5": lambda path: [_all_of(path), _description(path)],
    "scores/snr0/gwrp/fold1/seed0/mask_counts.h5": _counts,
    "examples/snr0-fold1.h5": read_example,
}


def _description(path):
    with reading_hdf5(path) as file:
        return read_description(file)


@pytest.mark.workflow
@pytest.mark.parametrize("name", HDF5)
def test_hdf5_files_of_a_run(a_copy, tally, n_flips, name):
    path = a_copy(name)
    kind = f"damage: {name.split('/')[0]} (h5)"
    noticed = _flip_everywhere(path, lambda: HDF5[name](path), tally, f"{kind}, a bit", n_flips)
    assert noticed > 0.3 * n_flips
    _cut_everywhere(path, lambda: HDF5[name](path), tally, f"{kind}, cut off")


@pytest.mark.workflow
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("models/snr0/gwrp/fold1/seed0/model.safetensors", "model"),
        ("training_state/snr0/gwrp/fold1/seed0.safetensors", "training state"),
    ],
)
def test_safetensors_files_of_a_run(a_copy, tally, n_flips, name, what):
    path = a_copy(name)
    kind = f"damage: {what} (safetensors)"
    noticed = _flip_everywhere(path, lambda: load_tensors(path), tally, f"{kind}, a bit", n_flips)
    assert noticed > 0.9 * n_flips
    _cut_everywhere(path, lambda: load_tensors(path), tally, f"{kind}, cut off")


def _job(folder, *, inputs=(), outputs=()):
    return SimpleNamespace(
        rule="job",
        wildcards={},
        input=list(map(str, inputs)),
        output=list(map(str, outputs)),
        log=[str(folder / "job.log")],
    )


@pytest.mark.workflow
@pytest.mark.parametrize(
    "name",
    [
        "corpus/events.csv",
        "mixtures/mixtures.csv",
        "metrics.csv",
        "events/snr0/gwrp/fold1/seed0.tsv",
        "models/snr0/gwrp/fold1/seed0/model.json",
        "models/snr0/gwrp/fold1/seed0/history.csv",
    ],
)
def test_tables_and_descriptions_are_checked_by_the_job_that_reads_them(
    a_copy, tally, n_flips, tmp_path, capsys, name
):
    # Snakemake starts a job whose main reads the file; the error must come before that.
    path = a_copy(name)
    content, locks = path.read_bytes(), tmp_path / "locks"
    run_script(lambda smk: path.write_bytes(content), _job(tmp_path, outputs=[path]), locks)
    reached = []

    def read():
        try:
            run_script(reached.append, _job(tmp_path, inputs=[path]), locks)
        except SystemExit:
            raise DamagedFileError(capsys.readouterr().err) from None
        return path.read_bytes()

    kind = f"damage: text ({path.suffix[1:]})"
    noticed = _flip_everywhere(path, read, tally, f"{kind}, a bit", n_flips // 4)
    assert noticed == n_flips // 4
    _cut_everywhere(path, read, tally, f"{kind}, cut off", 10)
    assert len(reached) == 1  # before any damage


def test_a_job_that_makes_its_table_again_replaces_its_checksum(tmp_path):
    path, locks = tmp_path / "table.csv", tmp_path / "locks"
    for text in ("a\n1\n", "a\n2\n"):
        run_script(lambda smk, t=text: write_text(path, t), _job(tmp_path, outputs=[path]), locks)
        run_script(lambda smk: None, _job(tmp_path, inputs=[path]), locks)
    (record,) = locks.glob("*.sha256")
    # What sha256sum --check reads.
    assert record.read_text().split()[1] == str(path)


def test_a_table_that_no_job_made_is_not_checked(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("a\n1\n")
    reached = []
    run_script(reached.append, _job(tmp_path, inputs=[path, tmp_path]), tmp_path / "locks")
    assert len(reached) == 1


def test_a_failed_job_leaves_no_checksum_of_an_older_table(tmp_path, capsys):
    path, locks = tmp_path / "table.csv", tmp_path / "locks"
    run_script(lambda smk: write_text(path, "a\n"), _job(tmp_path, outputs=[path]), locks)

    def fail(_):
        write_text(path, "b\n")
        raise DataError("no")

    with pytest.raises(SystemExit):
        run_script(fail, _job(tmp_path, outputs=[path]), locks)
    assert list(locks.glob("*.sha256")) == []


@pytest.mark.parametrize(("name", "subtype"), [("a.wav", "PCM_16"), ("a.flac", None)])
def test_a_recording_that_changed_after_it_was_inspected(tmp_path, tally, n_flips, name, subtype):
    path = tmp_path / name
    rng = np.random.default_rng(3)
    soundfile.write(path, 0.1 * rng.standard_normal(4000), 8000, subtype=subtype)
    inspection, report = inspect(recordings("event", [path], "Bark", ["a"]))
    assert len(report) == 0

    def read():
        check_unchanged(inspection, [str(path)])
        return soundfile.read(path)[0]

    kind = f"damage: recording ({path.suffix[1:]})"
    assert _flip_everywhere(path, read, tally, f"{kind}, a bit", n_flips) == n_flips
    _cut_everywhere(path, read, tally, f"{kind}, cut off")
    path.unlink()
    with pytest.raises(DamagedFileError, match=f"{name}.*No such file"):
        read()


def test_hdf5_datasets_of_every_layout(tmp_path, tally, n_flips):
    path = tmp_path / "layouts.h5"
    with writing_hdf5(path) as file:
        create_dataset(file, "one", data=np.arange(7))
        create_dataset(file, "grid", data=np.random.default_rng(0).normal(size=(30, 20)))
        create_dataset(file, "names", data=np.array([b"a", b"bcd"]))
        create_dataset(file, "none", data=np.zeros((0, 3)))
        rows = create_dataset(
            file, "rows", shape=(0, 5), dtype="u1", chunks=(1, 5), maxshape=(None, 5)
        )
        rows.resize(9, axis=0)
        rows[:] = 7
        create_dataset(file, "holes", shape=(6, 4), dtype="f2", chunks=(1, 4))[2] = 1
    kind = "damage: every layout (h5)"
    assert _flip_everywhere(path, lambda: _all_of(path), tally, f"{kind}, a bit", n_flips) > 20
    _cut_everywhere(path, lambda: _all_of(path), tally, f"{kind}, cut off")


@pytest.mark.workflow
def test_a_damaged_table_is_named_by_the_workflow_and_made_again_alone(finished, tmp_path):
    project = Project(tmp_path / "changed", TINY)
    shutil.copytree(finished.folder, project.folder, symlinks=True)
    before = project.result_bytes()
    results = project.folder / "results" / "tiny"
    part, metrics = results / "metrics/snr0/gwrp/seed0.csv", results / "metrics.csv"
    stated = part.stat()
    part.write_bytes(part.read_bytes().replace(b"0.", b"1.", 1))  # still a table of numbers
    os.utime(part, ns=(stated.st_atime_ns, stated.st_mtime_ns))  # as after a disk fault
    metrics.unlink()
    result = project.snakemake(check=False)
    assert result.returncode != 0
    assert (
        f"{part.relative_to(project.folder)}: expected the content that its job wrote"
        in result.text
    )
    assert "Traceback" not in result.text
    part.unlink()
    assert project.planned()["score_system"] == 1
    project.snakemake("--until", "collect_metrics")
    assert project.result_bytes() == before


def test_safetensors_of_every_type(tmp_path, tally, n_flips):
    path = tmp_path / "types.safetensors"
    tensors = {
        "half": torch.arange(9).half(),
        "bfloat": torch.arange(9).float(),
        "whole": torch.tensor([[1, 2], [3, 4]]),
        "yes": torch.tensor([True, False]),
        "none": torch.zeros(0, 3),
    }
    save_tensors(path, tensors, {"history": [[1, 0.5]]})
    kind = "damage: every type (safetensors)"
    _flip_everywhere(path, lambda: load_tensors(path), tally, f"{kind}, a bit", n_flips)
    _cut_everywhere(path, lambda: load_tensors(path), tally, f"{kind}, cut off")


@pytest.mark.workflow
def test_scores_are_read_with_their_checksums(a_copy, tmp_path):
    # As the job reads them: a flip in the settings must not give another time grid.
    scores = a_copy("scores/snr0/gwrp/fold1/seed0/scores.h5")
    counts = a_copy("scores/snr0/gwrp/fold1/seed0/mask_counts.h5")
    with h5py.File(scores) as file:
        offset = file["tags"].id.get_chunk_info(0).byte_offset
    content = bytearray(scores.read_bytes())
    content[offset + 3] ^= 1
    scores.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"scores\.h5"):
        read_fold_scores(scores, counts, {}, {}, TimeGrid(8000, 256, 128))
