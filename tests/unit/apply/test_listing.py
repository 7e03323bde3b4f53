"""Which files a user's paths name, and that a recording's results have one name whatever happens."""

import os
import unicodedata

import pytest

from tfseg.apply.listing import (
    Recording,
    find_recordings,
    match_reference,
    plain_name,
    results_name,
    unused_note,
    with_earlier_names,
)
from tfseg.errors import DataError
from tfseg.io.files import file_sha256


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("b.wav", "a.flac", "deep/b.wav", "note.md", ".hidden/c.wav", "ü ß/naïve.ogg"):
        path = tmp_path / "rec" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "rec"


def find(*paths):
    return find_recordings(paths, "out").recordings


def test_a_folder_gives_its_sound_files(folder):
    found = find(folder)
    assert [str(r.path.relative_to(folder)) for r in found] == [
        "a.flac",
        "b.wav",
        "deep/b.wav",
        "ü ß/naïve.ogg",
    ]
    assert [r.name[:-9] for r in found] == ["a", "b", "b", "naïve"]


def test_what_is_left_out_is_said_in_a_line(folder):
    assert find_recordings([folder, folder], "out").notes == [f"{folder}: left out 1 hidden"]
    assert find_recordings([folder / "deep"], "out").notes == []


def test_what_no_library_reads_is_a_recording_too_and_fails_later(folder):
    for name in ("phone.m4a", "film.mov"):
        (folder / name).touch()
    (folder / "no_ending").write_bytes(b"fLaC" + bytes(20))
    names = [r.path.name for r in find(folder)]
    assert {"phone.m4a", "film.mov", "no_ending"} < set(names)


def test_own_results_are_no_recordings(folder):
    results = folder / "out/b-12345678"
    (results / "separated").mkdir(parents=True)
    (results / "separated/Bark.wav").touch()
    assert find_recordings([folder], folder / "out").notes == [f"{folder}: left out 1 hidden"]
    assert len(find_recordings([folder], folder / "out").recordings) == 4
    (results / "about.json").write_text('{"model_sha256": "", "recording_sha256": ""}')
    assert len(find(folder)) == 4
    assert find_recordings([folder], "other").notes == [
        f"{folder}: left out 1 hidden, 1 folders of results of tfseg"
    ]
    # Results beside the recordings, in the very folder.
    assert len(find_recordings([folder], folder).recordings) == 4


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.txt", b"a.flac\n\n deep/b.wav \n"),
        ("list.txt", b"a.flac\r\ndeep/b.wav"),
        ("list.txt", "a.flac\r\ndeep/b.wav\r\n".encode("utf-16")),
        ("list.csv", b"path,note\na.flac,x\ndeep/b.wav,\n"),
        ("list.csv", b"note;Path\nx;a.flac\n;deep/b.wav\n"),
        ("list.csv", b'path,note\n"a.flac","x\ny"\n"deep/b.wav",\n'),
        ("list.tsv", "\ufeffpath\na.flac\ndeep/b.wav\n".encode()),
        ("list.tsv", b"path,note\na.flac,x\ndeep/b.wav,y\n"),
    ],
)
def test_a_list_is_relative_to_itself(folder, name, content):
    (folder / name).write_bytes(content)
    assert [r.path for r in find(folder / name)] == [folder / "a.flac", folder / "deep/b.wav"]


def test_a_list_may_name_files_by_any_bytes(folder):
    names = [b"caf\x82.wav", "e\u0301.wav".encode(), b"ends with a space .wav", b"\xff.wav "]
    for name in names:
        with open(os.path.join(os.fsencode(folder), name), "wb"):
            pass
    (folder / "list.txt").write_bytes(b"\n".join(names))
    assert [os.fsencode(r.path.name) for r in find(folder / "list.txt")] == names


def test_each_file_once_and_in_order(folder):
    found = find(folder / "b.wav", folder, folder / "b.wav", "rec/b.wav", "rec/../rec/b.wav")
    assert [r.path.name for r in found] == ["b.wav", "a.flac", "b.wav", "naïve.ogg"]
    assert len({r.path for r in found}) == 4


def test_the_name_does_not_depend_on_what_else_is_named_or_how(folder, tmp_path, monkeypatch):
    (alone,) = find(folder / "deep/b.wav")
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "list.txt").write_text("rec/deep/b.wav\n")
    ways = [folder], [folder / "deep"], ["rec"], ["link/deep/b.wav"], ["list.txt"], ["rec/deep/"]
    for way in ways:
        names = {os.path.realpath(r.path): r.name for r in find(*way)}
        assert names[str(folder / "deep/b.wav")] == alone.name
    assert alone.name != find(folder / "b.wav")[0].name


def test_the_name_stays_when_the_whole_project_is_moved(folder, tmp_path, monkeypatch):
    before = [r.name for r in find("rec")]
    tmp_path.joinpath("rec").rename(tmp_path / "moved")
    (tmp_path / "project").mkdir()
    tmp_path.joinpath("moved").rename(tmp_path / "project/rec")
    monkeypatch.chdir(tmp_path / "project")
    assert [r.name for r in find("rec")] == before


def test_names_are_unique_plain_and_short(folder):
    others = [f"{'語' * 80}{end}.wav" for end in ("1", "2")]
    nfc, nfd = (unicodedata.normalize(form, "é.wav") for form in ("NFC", "NFD"))
    for name in ("A.wav", "a.wav", "a.flac", "a.mp3", nfc, nfd, *others):
        (folder / name).touch()
    names = [r.name.casefold() for r in find(folder)]
    assert len(set(names)) == len(names) == 11
    assert all("/" not in name and not name.startswith(".") for name in names)
    assert all(len(name.encode()) < 140 for name in names)


@pytest.mark.parametrize(
    "name",
    [
        "../..",
        "$(touch x)",
        "a\nb",
        "<b>",
        "..wav",
        "con:aux",
        "caf\udc82",
        "\x1b[2J",
        "😀",
        "a'\"b",
    ],
)
def test_no_name_leaves_its_folder_or_means_anything(tmp_path, name):
    path = tmp_path / name.replace("/", "_")
    path.touch()
    (recording,) = find(path)
    assert recording.name and set(recording.name).isdisjoint("/\\$()<>\n:\x1b'\"")
    assert recording.name not in (".", "..")
    recording.name.encode()


@pytest.mark.parametrize("name", ["con", "NUL", "com1", "Lpt9.old"])
def test_no_name_is_a_device_of_windows(name):
    assert plain_name(name) == f"_{name}"
    assert plain_name(f"{name}x".replace(".oldx", "x")).startswith(name[0])


@pytest.mark.parametrize("name", ["कुत्ता", "สุนัข", "Hühner", "e̱ x"])
def test_marks_of_other_scripts_stay_in_names(name):
    for form in ("NFC", "NFD"):
        spelled = plain_name(unicodedata.normalize(form, name))
        assert spelled == unicodedata.normalize("NFC", name).replace(" ", "_")


def test_a_mark_without_a_letter_is_no_part_of_a_name():
    assert plain_name("a \u0301b") == "a_b" and plain_name("\u0301a") == "a"


def test_a_folder_that_cannot_be_listed_is_among_the_recordings(folder, close_folder):
    close_folder("deep")
    assert folder / "deep" in [r.path for r in find(folder)]
    with pytest.raises(DataError, match=r"found none .*deep: this folder cannot be listed"):
        find(folder / "deep")


def test_a_named_file_is_taken_whatever_its_ending(tmp_path):
    (tmp_path / "sound.bin").touch()
    assert find(tmp_path / "sound.bin")[0].path == tmp_path / "sound.bin"


@pytest.mark.parametrize(
    "name, content, expected",
    [
        ("missing.wav", None, "found nothing there"),
        ("x" * 300, None, "found nothing there"),
        ("empty.txt", b"\n", "found none in it"),
        ("bad.csv", b"file\na.wav\n", "column 'path'"),
        ("bad.tsv", b"", "column 'path'"),
        ("bad.txt", b"\xff\xfe\x00", "as text"),
    ],
)
def test_what_names_nothing_is_refused(tmp_path, name, content, expected):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=expected):
        find(tmp_path / name)


def test_an_empty_path_is_not_this_folder(folder):
    with pytest.raises(DataError, match="found an empty path"):
        find("")


def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(DataError, match="found a pipe or a device"):
        find(tmp_path / "pipe.wav")


def test_a_folder_without_sounds_is_refused(tmp_path):
    (tmp_path / ".a.wav").touch()
    with pytest.raises(DataError, match=r"expected sound files.*left out 1 hidden"):
        find(tmp_path)


# Results that are there already


def facts(path, digest=""):
    return {"recording": str(path), "recording_sha256": digest}


def test_results_of_older_versions_stay_those_of_their_recording(folder):
    (folder / "b.wav").write_bytes(b"one")
    recordings = find(folder / "b.wav", folder / "deep/b.wav")
    earlier = {"b": facts("rec/b.wav"), "c": facts("rec/deep/c.wav", "other")}
    named = with_earlier_names(recordings, earlier)
    assert [r.name for r in named] == ["b", recordings[1].name]
    assert [r.path for r in named] == [r.path for r in recordings]
    assert with_earlier_names(recordings, {}) == recordings


def test_results_of_a_file_that_was_moved_are_known_by_its_content_and_once(folder):
    for name in ("b.wav", "deep/b.wav"):
        (folder / name).write_bytes(b"same")
    digest = file_sha256(folder / "b.wav")
    recordings = find(folder / "b.wav", folder / "deep/b.wav")
    named = with_earlier_names(recordings, {"old": facts("gone/b.wav", digest)})
    assert [r.name for r in named] == ["old", recordings[1].name]
    # One that is still there keeps its own, though it holds the same.
    (folder / "kept.wav").write_bytes(b"same")
    kept = {"old": facts(folder / "kept.wav", digest)}
    assert with_earlier_names(recordings, kept) == recordings


def test_a_new_name_comes_before_an_older_one(folder):
    (recording,) = find(folder / "b.wav")
    earlier = {"b": facts("rec/b.wav"), recording.name: facts("rec/b.wav")}
    assert with_earlier_names([recording], earlier) == [recording]


# What is known to sound


@pytest.fixture
def sites(tmp_path, monkeypatch):
    """Two sites with the same file names, and one more file."""
    for name in ("A/x.wav", "B/x.wav", "B/y.wav", "B/caf\udc82.wav", f"B/{'e' + chr(0x301)}.wav"):
        path = tmp_path / "field" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return find("field")


def matched(names, recordings, table="truth.tsv"):
    known, unused = match_reference(dict.fromkeys(names), recordings, table)
    paths = {r.name: str(r.path) for r in recordings}
    return {name: paths[key] for key, found in known.items() for name in found}, unused


def test_names_and_paths_find_their_recording(sites, tmp_path):
    absolute = f"{tmp_path}/field/A/x.wav"
    names = ["y.wav", "B/x.wav", "field/A/x.wav", absolute, "./field/B/y.wav", "A\\x.wav"]
    found, unused = matched(names, sites)
    assert unused == []
    assert found == {
        "y.wav": "field/B/y.wav",
        "B/x.wav": "field/B/x.wav",
        "field/A/x.wav": "field/A/x.wav",
        absolute: "field/A/x.wav",
        "./field/B/y.wav": "field/B/y.wav",
        "A\\x.wav": "field/A/x.wav",
    }


def test_names_that_look_alike_are_equal(sites):
    found, _ = matched([f"{chr(0xE9)}.wav", "caf\\x82.wav"], sites)
    assert found == {
        f"{chr(0xE9)}.wav": f"field/B/{'e' + chr(0x301)}.wav",
        "caf\\x82.wav": "field/B/caf\udc82.wav",
    }


def test_a_table_in_a_folder_of_recordings_is_about_these(sites):
    assert matched(["x.wav"], sites, "field/B/truth.tsv")[0] == {"x.wav": "field/B/x.wav"}


def test_a_name_of_two_recordings_is_refused(sites):
    expected = r"truth\.tsv: 'x\.wav' may mean field/A/x\.wav, field/B/x\.wav: write more"
    with pytest.raises(DataError, match=expected):
        matched(["y.wav", "x.wav"], sites)
    # Alone in a call it is not unclear.
    assert matched(["x.wav"], sites[:1])[0] == {"x.wav": "field/A/x.wav"}


def test_names_that_mean_nothing_are_named(sites):
    names = ["z.wav", "C/x.wav", "/elsewhere/field/A/x.wav", "", "wav", "X.WAV"]
    found, unused = matched(["y.wav", *names], sites)
    assert list(found) == ["y.wav"] and unused == names
    assert unused_note(unused, "t.tsv") == [
        "t.tsv: 6 file names mean none of the recordings: z.wav, C/x.wav, "
        "/elsewhere/field/A/x.wav, , wav, ..."
    ]
    assert unused_note(["z\n.wav"], "t.tsv") == [
        "t.tsv: 1 file name means none of the recordings: z\\n.wav"
    ]
    assert unused_note([], "t.tsv") == []


def test_a_recording_is_plain_data():
    assert results_name("a/b.wav") == results_name("./a//b.wav")
    assert Recording("a", "b") == Recording("a", "b")
