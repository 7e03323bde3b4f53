"""Unpacking of untrusted archives."""

import stat
import struct
import zipfile

import pytest

from tfseg.datasets.unpack import unpack
from tfseg.errors import DamagedFileError, DataError


@pytest.fixture
def pack(tmp_path):
    def pack(entries, name="sounds.zip"):
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, content in entries.items():
                archive.writestr(entry, content)
        return path

    return pack


def left_over(folder, archives):
    return [path.name for path in folder.iterdir() if path not in archives]


def test_parts_of_a_data_set_become_one_folder(pack, tmp_path):
    first = pack({"set/audio/a.wav": b"aa", "set/meta.csv": b"x"}, "1.zip")
    second = pack({"set/audio/b.wav": b"bb"}, "2.zip")
    unpack([first, second], tmp_path / "data")
    found = {
        str(path.relative_to(tmp_path / "data")): path.read_bytes()
        for path in (tmp_path / "data").rglob("*")
        if path.is_file()
    }
    assert found == {"set/audio/a.wav": b"aa", "set/meta.csv": b"x", "set/audio/b.wav": b"bb"}


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/evil", "..\\evil", "C:\\evil"])
def test_an_entry_that_escapes_is_refused(pack, tmp_path, name):
    path = pack({"good": b"1", name: b"2"})
    with pytest.raises(DataError, match="would be written outside"):
        unpack([path], tmp_path / "data")
    assert left_over(tmp_path, [path]) == []


def test_a_link_is_refused(pack, tmp_path):
    link = zipfile.ZipInfo("set/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = pack({"good": b"1", link: b"/etc/passwd"})
    with pytest.raises(DataError, match=r"'set/link' is a link"):
        unpack([path], tmp_path / "data")
    assert left_over(tmp_path, [path]) == []


def test_a_bomb_is_refused_by_what_it_states(pack, tmp_path):
    path = pack({"zeros": bytes(10_000_000)})
    with pytest.raises(DataError, match="its list states 10000000"):
        unpack([path], tmp_path / "data")
    assert left_over(tmp_path, [path]) == []


def test_a_bomb_that_lies_about_its_size_is_refused(pack, tmp_path):
    path = pack({"zeros": bytes(1_000_000)})
    content = path.read_bytes().replace(struct.pack("<I", 1_000_000), struct.pack("<I", 1000))
    path.write_bytes(content)
    with pytest.raises((DataError, DamagedFileError), match=r"sounds\.zip"):
        unpack([path], tmp_path / "data")
    assert left_over(tmp_path, [path]) == []


@pytest.mark.parametrize("keep", [0, 10, 200, -1])
def test_a_truncated_archive_is_named(pack, tmp_path, keep):
    path = pack({f"{i}": bytes([i]) * 100 for i in range(20)})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DamagedFileError, match=r"sounds\.zip: expected a complete zip archive"):
        unpack([path], tmp_path / "data")
    assert left_over(tmp_path, [path]) == []


def test_an_altered_entry_is_noticed(pack, tmp_path):
    path = pack({"a": b"0123456789" * 100})
    content = bytearray(path.read_bytes())
    content[35] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"sounds\.zip"):
        unpack([path], tmp_path / "data")
    assert left_over(tmp_path, [path]) == []


def test_an_existing_folder_is_left_alone(pack, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine").write_text("mine")
    with pytest.raises(DataError, match="expected nothing there"):
        unpack([pack({"a": b"1"})], tmp_path / "data")
    assert (tmp_path / "data" / "mine").read_text() == "mine"


def test_the_root_folder_becomes_the_folder(pack, tmp_path):
    path = pack({"set/audio/a.wav": b"aa"})
    unpack([path], tmp_path / "set", root="set")
    assert (tmp_path / "set/audio/a.wav").read_bytes() == b"aa"
    assert left_over(tmp_path, [path]) == ["set"]


def test_another_root_folder_is_refused(pack, tmp_path):
    path = pack({"set/a": b"1", "other/b": b"2"})
    with pytest.raises(DataError, match="expected one folder set inside, found other, set"):
        unpack([path], tmp_path / "set", root="set")
    assert left_over(tmp_path, [path]) == []


def test_a_full_disk_is_not_called_a_damaged_archive(pack, tmp_path, monkeypatch):
    def full(*arguments, **named):
        raise OSError(28, "No space left on device")

    path = pack({"a": b"1"})
    monkeypatch.setattr("tfseg.datasets.unpack._write", full)
    with pytest.raises(DataError, match=r"could not be written: .*No space left") as caught:
        unpack([path], tmp_path / "data")
    assert not isinstance(caught.value, DamagedFileError)
    assert left_over(tmp_path, [path]) == []
