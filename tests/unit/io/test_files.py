import concurrent.futures
import hashlib
import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from tfseg.errors import DamagedFileError, DataError
from tfseg.io import files


def test_whole_file_appears_with_its_content_and_nothing_else(tmp_path):
    target = tmp_path / "new" / "folder" / "result.csv"
    with files.whole_file(target) as temporary_path:
        Path(temporary_path).write_text("done")
        assert not target.exists()
    assert target.read_text() == "done"
    assert list(target.parent.iterdir()) == [target]


def test_whole_file_writes_beside_the_target_and_keeps_its_suffix(tmp_path):
    target = tmp_path / "result.wav"
    with files.whole_file(target) as temporary_path:
        assert Path(temporary_path).parent == tmp_path
        assert Path(temporary_path).suffix == ".wav"
        Path(temporary_path).write_text("x")


def test_whole_file_replaces_the_target_and_does_not_write_into_it(tmp_path):
    # An open or linked old file keeps its content.
    target, link = tmp_path / "result.csv", tmp_path / "link.csv"
    target.write_text("old")
    os.link(target, link)
    files.write_text(target, "new")
    assert (target.read_text(), link.read_text()) == ("new", "old")


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_whole_file_leaves_the_old_content_and_no_litter_on_error(tmp_path, error):
    target = tmp_path / "result.csv"
    target.write_text("old")
    with pytest.raises(error), files.whole_file(target) as temporary_path:
        Path(temporary_path).write_text("half")
        raise error
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_whole_file_tolerates_that_the_writer_removed_its_file(tmp_path):
    with pytest.raises(ValueError, match="mine"), files.whole_file(tmp_path / "a") as temporary:
        Path(temporary).unlink()
        raise ValueError("mine")
    assert list(tmp_path.iterdir()) == []


def test_two_writers_of_one_file_do_not_share_a_temporary_file(tmp_path):
    target = tmp_path / "result.csv"
    with files.whole_file(target) as first:
        with files.whole_file(target) as second:
            assert first != second
            Path(first).write_text("first")
            Path(second).write_text("second")
        assert target.read_text() == "second"
    assert target.read_text() == "first"
    assert list(tmp_path.iterdir()) == [target]


def test_a_killed_writer_leaves_the_target_as_it_was(tmp_path, repository):
    target = tmp_path / "result.csv"
    target.write_text("old")
    code = (
        "import os, signal; from tfseg.io.files import whole_file\n"
        f"with whole_file({str(target)!r}) as path:\n"
        "    stream = open(path, 'w'); stream.write('half'); stream.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(repository / "workflow_scripts")}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert target.read_text() == "old"
    # Files of the killed job do not disturb the job that replaces it.
    files.write_text(target, "new")
    assert target.read_text() == "new"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_finished_files_have_the_permissions_that_the_umask_allows(tmp_path, umask, mode):
    previous = os.umask(umask)
    try:
        files.write_text(tmp_path / "result.txt", "x")
    finally:
        os.umask(previous)
    assert (tmp_path / "result.txt").stat().st_mode & 0o777 == mode


def test_text_is_utf8_with_newlines_as_given(tmp_path):
    files.write_text(tmp_path / "text", "ä\r\nb\n")
    assert (tmp_path / "text").read_bytes() == b"\xc3\xa4\r\nb\n"


def test_json_round_trip_and_equal_values_give_equal_bytes(tmp_path):
    value = {"b": [1, 2.5, None, True], "a": {"z": "ü", "y": 0.1 + 0.2}}
    files.write_json(tmp_path / "one.json", value)
    files.write_json(tmp_path / "two.json", dict(reversed(value.items())))
    assert files.read_json(tmp_path / "one.json") == value
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_json_without_a_number_is_refused_and_the_old_file_stays(tmp_path, number):
    path = tmp_path / "values.json"
    files.write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(path, {"a": [number]})
    assert files.read_json(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"\xff\xfe\x00", b'{"a": 1} {"b"'])
def test_damaged_json_is_named(tmp_path, content):
    path = tmp_path / "values.json"
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"values\.json: expected JSON"):
        files.read_json(path)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"a\.json: expected a JSON file, found nothing"):
        files.read_json(tmp_path / "a.json")
    with (
        pytest.raises(DataError, match=r"a\.h5: expected an HDF5 file, found nothing"),
        files.reading_hdf5(tmp_path / "a.h5"),
    ):
        pass


@pytest.mark.parametrize("separator", [",", "\t"])
def test_csv_keeps_every_digit_and_has_unix_line_ends(tmp_path, separator):
    frame = pd.DataFrame({"name": ["a", "b, c"], "value": [0.1 + 0.2, 1 / 3]}, index=[5, 9])
    files.write_csv(tmp_path / "table", frame, separator)
    assert b"\r" not in (tmp_path / "table").read_bytes()
    again = pd.read_csv(tmp_path / "table", sep=separator, float_precision="round_trip")
    pd.testing.assert_frame_equal(again, frame.reset_index(drop=True), check_exact=True)


def test_file_sha256_depends_on_contents_and_their_order_and_borders(tmp_path):
    texts = {"one": "ab", "two": "c", "three": "a", "four": "bc", "five": "ab"}
    paths = {name: tmp_path / name for name in texts}
    for name, text in texts.items():
        paths[name].write_text(text)

    def digest(*names):
        return files.file_sha256([paths[name] for name in names])

    assert digest("one") == files.file_sha256(paths["one"]) == files.file_sha256(str(paths["one"]))
    assert digest("one") == digest("five")  # names do not count
    different = [digest(*n) for n in (["one"], ["one", "two"], ["two", "one"], ["three", "four"])]
    assert len(set(different)) == len(different)
    assert len(digest("one")) == len(hashlib.sha256().hexdigest())


def _write_hdf5(path, values):
    with h5py.File(path, "w") as file:
        files.create_dataset(file, "values", data=values)


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=(40, 7)).astype(np.float16),
        np.arange(5),
        np.array(["a", "bcd"], dtype="S"),
        np.zeros((0, 3), dtype=np.uint8),
        np.zeros(0, dtype=np.int16),
    ],
    ids=lambda values: f"{values.dtype}-{values.shape}",
)
def test_hdf5_datasets_come_back_as_they_were(tmp_path, values):
    _write_hdf5(tmp_path / "a.h5", values)
    with files.reading_hdf5(tmp_path / "a.h5") as file:
        found = file["values"][:]
        assert file["values"].fletcher32 == (values.size > 0)
    assert found.dtype == values.dtype
    assert np.array_equal(found, values)


def test_a_dataset_can_be_filled_row_by_row(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        rows = files.create_dataset(file, "rows", shape=(3, 4), dtype="int16", chunks=(1, 4))
        rows[1] = [1, 2, 3, 4]
    with files.reading_hdf5(tmp_path / "a.h5") as file:
        assert file["rows"].fletcher32
        assert file["rows"][:].tolist() == [[0] * 4, [1, 2, 3, 4], [0] * 4]


def test_a_flipped_bit_in_a_dataset_is_noticed_wherever_it_is(tmp_path, flip):
    path = tmp_path / "values.h5"
    values = np.random.default_rng(1).integers(0, 2**15, size=64, dtype=np.int16)
    _write_hdf5(path, values)
    start = path.read_bytes().index(values.tobytes())
    for position, bit in itertools.product(range(start, start + values.nbytes, 7), (0, 7)):
        _write_hdf5(path, values)
        flip(path, position, 1 << bit)
        with (
            pytest.raises(DamagedFileError, match=r"values\.h5: .*damaged.*Delete the file"),
            files.reading_hdf5(path) as file,
        ):
            file["values"][:]


@pytest.mark.parametrize("share", [0.0, 0.001, 0.2, 0.7, 0.999])
def test_a_truncated_hdf5_file_is_noticed(tmp_path, share):
    path = tmp_path / "values.h5"
    _write_hdf5(path, np.arange(5000))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with (
        pytest.raises(DamagedFileError, match=r"values\.h5: expected a complete HDF5 file"),
        files.reading_hdf5(path) as file,
    ):
        file["values"][:]


def test_something_else_than_hdf5_or_of_another_layout_is_noticed(tmp_path):
    (tmp_path / "text.h5").write_text("not at all HDF5" * 100)
    with (
        pytest.raises(DamagedFileError, match=r"text\.h5"),
        files.reading_hdf5(tmp_path / "text.h5"),
    ):
        pass
    _write_hdf5(tmp_path / "other.h5", np.arange(3))
    with (
        pytest.raises(DamagedFileError, match=r"other\.h5: .*logmel"),
        files.reading_hdf5(tmp_path / "other.h5") as file,
    ):
        file["logmel"]


def test_lines_of_many_writers_are_all_there_and_whole(tmp_path):
    path = tmp_path / "new" / "log.jsonl"
    texts = [f"{k:03d}" + "x" * 1000 for k in range(64)]
    with concurrent.futures.ThreadPoolExecutor(8) as writers:
        list(writers.map(lambda text: files.append_line(path, text), texts))
    assert sorted(path.read_text().splitlines()) == texts
