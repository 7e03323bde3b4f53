"""Which files a user's paths name, and that no two results share a folder."""

import pytest

from tfseg.apply.listing import find_recordings
from tfseg.errors import DataError


@pytest.fixture
def folder(tmp_path):
    for name in ("b.wav", "a.flac", "deep/b.wav", "note.md", ".hidden/c.wav", "ü ß/naïve.ogg"):
        path = tmp_path / "rec" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "rec"


def test_a_folder_gives_its_sound_files(folder):
    found = find_recordings([folder])
    assert [(r.name, str(r.path.relative_to(folder))) for r in found] == [
        ("a", "a.flac"),
        ("b", "b.wav"),
        ("deep__b", "deep/b.wav"),
        ("ü_ß__naïve", "ü ß/naïve.ogg"),
    ]


@pytest.mark.parametrize(
    "name, text",
    [
        ("list.txt", "a.flac\n\n deep/b.wav \n"),
        ("list.csv", "path,note\na.flac,x\ndeep/b.wav,\n"),
        ("list.tsv", "\ufeffpath\na.flac\ndeep/b.wav\n"),
    ],
)
def test_a_list_is_relative_to_itself(folder, name, text):
    (folder / name).write_text(text, encoding="utf-8")
    found = find_recordings([folder / name])
    assert [r.path for r in found] == [folder / "a.flac", folder / "deep/b.wav"]


def test_each_file_once_and_in_order(folder):
    found = find_recordings([folder / "b.wav", folder, folder / "b.wav"])
    assert [r.path.name for r in found] == ["b.wav", "a.flac", "b.wav", "naïve.ogg"]
    assert len({r.path for r in found}) == 4


def test_names_are_unique_and_plain(folder):
    (folder / "A.wav").touch()
    (folder / "a.wav").touch()
    others = [folder / f"{'x' * 300}{end}"[:250] for end in ("1", "2")]
    found = find_recordings(
        [folder, folder / "deep/b.wav", *[p for p in others if p.touch() is None]]
    )
    names = [r.name.casefold() for r in found]
    assert len(set(names)) == len(names)
    assert all("/" not in name and not name.startswith(".") for name in names)


@pytest.mark.parametrize("name", ["../..", "$(touch x)", "a\nb", "<b>", "..wav", "con:aux"])
def test_no_name_leaves_its_folder_or_means_anything(tmp_path, name):
    path = tmp_path / name.replace("/", "_")
    path.touch()
    (recording,) = find_recordings([path])
    assert recording.name and set(recording.name).isdisjoint("/\\$()<>\n:")
    assert recording.name not in (".", "..")


def test_a_named_file_is_taken_whatever_its_ending(tmp_path):
    (tmp_path / "sound.bin").touch()
    assert find_recordings([tmp_path / "sound.bin"])[0].name == "sound"


@pytest.mark.parametrize(
    "name, text, expected",
    [
        ("missing.wav", None, "found nothing there"),
        ("empty.txt", "\n", "found none in it"),
        ("bad.csv", "file\na.wav\n", "column 'path'"),
    ],
)
def test_what_names_nothing_is_refused(tmp_path, name, text, expected):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=expected):
        find_recordings([tmp_path / name])


def test_a_folder_without_sounds_is_refused(tmp_path):
    with pytest.raises(DataError, match="expected sound files"):
        find_recordings([tmp_path])
