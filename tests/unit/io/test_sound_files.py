"""Which files count as sound or video, and how folders are walked."""

import json
import os

import numpy as np
import pytest
import soundfile

from tfseg.io.sound_files import (
    READ_ENDINGS,
    content_kind,
    folder_content,
    looks_like_sound,
    pointer_text,
    there_as,
    why_missing,
)


@pytest.fixture
def put(tmp_path):
    """Return a function that makes files: empty, or with some bytes."""

    def make(*names, content=b""):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    return make


def _found(root, **options):
    return [str(path.relative_to(root)) for path in folder_content(root, **options).sounds]


@pytest.mark.parametrize(
    "ending",
    ["wav", "WAV", "flac", "ogg", "opus", "mp3", "aif", "aifc", "caf", "m4a", "aac", "mp4", "wma",
     "amr", "3gp", "webm", "mov", "MKV", "wac"],
)  # fmt: skip
def test_sound_and_video_are_known_by_their_endings(put, tmp_path, ending):
    put(f"a.{ending}")
    assert _found(tmp_path) == [f"a.{ending}"]


@pytest.mark.parametrize(
    "kind", ["WAV", "AIFF", "AU", "FLAC", "OGG", "MP3", "CAF", "W64", "RF64", "VOC", "NIST", "SVX"]
)
def test_what_libsndfile_writes_is_known_by_its_first_bytes(tmp_path, kind):
    soundfile.write(tmp_path / "recording", np.zeros(2000), 8000, format=kind)
    assert content_kind(tmp_path / "recording") is not None
    assert _found(tmp_path) == ["recording"]


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (bytes(4) + b"ftypM4A ", "MPEG-4"),
        (bytes(4) + b"ftypqt  ", "MPEG-4"),
        (b"\x1aE\xdf\xa3" + bytes(20), "Matroska or WebM"),
        (b"#!AMR\n", "AMR"),
        (b"\xff\xf1\x50\x80\x00\x1f", "AAC"),
        (b"\xff\xfb\x90\x64\x00", "MP3"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "AVI"),
        # Other things.
        (bytes(4) + b"ftypheic", None),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", None),
        ("path,tags".encode("utf-16"), None),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", None),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"\x89HDF\r\n\x1a\n", None),
        (b"PK\x03\x04", None),
        (b"path,tags\n", None),
        (b"", None),
        (bytes(16), None),
        (b"\xff" * 16, None),
    ],
)
def test_kinds_by_content(tmp_path, head, kind):
    (tmp_path / "thing").write_bytes(head)
    assert content_kind(tmp_path / "thing") == kind
    assert looks_like_sound(tmp_path / "thing") == (kind is not None)


def test_hidden_files_and_copies_are_left_out_and_counted(put, tmp_path):
    put("a.wav", ".a.wav", "._a.wav", ".Trash/b.wav", "sub/.DS_Store")
    put("a.wav.part", "a.wav~", "notes.bak", "a.m4a.crdownload")
    put("b.tmp", content=b"fLaC" + bytes(12))
    content = folder_content(tmp_path)
    assert content.sounds == [tmp_path / "a.wav"]
    assert content.notes("here") == [
        "here: left out 4 hidden, 4 unfinished or kept copies (.part, .bak, ...)"
    ]


def test_where_nothing_is_left_out_nothing_is_said(put, tmp_path):
    put("a.wav", "notes.txt")
    assert folder_content(tmp_path).notes("here") == []


def test_links_to_folders_are_followed_each_file_once_and_loops_end(put, tmp_path):
    put("in/plain/a.wav", "elsewhere/b.wav", "elsewhere/deep/c.wav")
    root = tmp_path / "in"
    (root / "a_link").symlink_to(tmp_path / "elsewhere")
    (root / "b_link").symlink_to(tmp_path / "elsewhere")
    (root / "again").symlink_to(root / "plain")
    (root / "plain/loop").symlink_to(root)
    (tmp_path / "elsewhere/deep/up").symlink_to(tmp_path / "elsewhere")
    (root / "a.wav").symlink_to(root / "plain/a.wav")
    content = folder_content(root)
    assert _found(root) == ["a_link/b.wav", "a_link/deep/c.wav", "plain/a.wav"]
    assert len(content.repeated) == 5
    assert content.notes("here") == ["here: left out 5 links to what is there already"]


def test_a_folder_may_be_a_link_itself(put, tmp_path):
    put("real/a.wav")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert _found(tmp_path / "link") == ["a.wav"]


def test_a_link_that_leads_nowhere_is_listed(tmp_path):
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nowhere.wav")
    (tmp_path / "site_B").symlink_to(tmp_path / "drive/site_B")
    assert _found(tmp_path) == ["gone.wav"]
    assert folder_content(tmp_path).notes("here") == ["here: left out 1 links that lead nowhere"]


def test_a_file_that_is_not_there_has_its_reason(put, tmp_path):
    put("deep/a.wav")
    dead, annexed = tmp_path / "dead.wav", tmp_path / "annexed.wav"
    dead.symlink_to("nowhere.wav")
    annexed.symlink_to(".git/annex/objects/xx/SHA256E-s9--00.wav")
    assert why_missing(dead) == "a link that leads nowhere (to nowhere.wav)"
    assert "git annex get" in why_missing(annexed)
    assert why_missing(tmp_path / "gone.wav") == "nothing there"
    expected = f"nothing there: write / between folders, as in {tmp_path}/deep/a.wav"
    assert why_missing(tmp_path / "deep\\a.wav") == expected
    assert why_missing(tmp_path / "deep\\b.wav") == "nothing there"


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
        (b"/annex/objects/SHA256E-s9--00.wav\n", "git annex get"),
    ],
)
def test_a_pointer_in_place_of_a_file_is_known(put, tmp_path, content, remedy):
    put("a.wav", content=content)
    put("b.wav", content=b"RIFF")
    assert remedy in pointer_text(tmp_path / "a.wav")
    assert pointer_text(tmp_path / "b.wav") is None


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    os.mkfifo(tmp_path / "pipe")
    assert _found(tmp_path) == []


def test_folders_of_results_are_left_out_and_those_that_are_named(put, tmp_path):
    put("a.wav", "out/a-1/separated/Bark.wav", "other/c.wav", "shop/d.wav")
    about = {"model_sha256": "", "recording_sha256": ""}
    (tmp_path / "out/a-1/about.json").write_text(json.dumps(about))
    (tmp_path / "shop/about.json").write_text('{"about": "us"}')
    assert _found(tmp_path) == ["a.wav", "other/c.wav", "shop/d.wav"]
    assert _found(tmp_path, leave_out=[tmp_path / "other"]) == ["a.wav", "shop/d.wav"]
    # Whoever names such a folder means it.
    assert _found(tmp_path / "out/a-1", leave_out=[tmp_path / "out/a-1"]) == ["separated/Bark.wav"]


def test_names_of_any_bytes_are_found(tmp_path):
    name = b"caf\x82 \xff\n.wav"
    with open(os.path.join(os.fsencode(tmp_path), name), "wb"):
        pass
    (path,) = folder_content(tmp_path).sounds
    assert os.fsencode(path.name) == name


def test_a_folder_that_cannot_be_listed_is_named(put, tmp_path, close_folder):
    put("a.wav", "closed/b.wav")
    close_folder("closed")
    content = folder_content(tmp_path)
    assert content.sounds == [tmp_path / "a.wav"]
    assert content.notes("here") == []
    assert content.closed_notes() == [
        f"{tmp_path}/closed: this folder cannot be listed: Permission denied"
    ]


def test_the_endings_are_those_of_the_library():
    assert {f".{name.lower()}" for name in soundfile.available_formats()} - {".raw"} <= READ_ENDINGS


def test_a_file_is_found_in_either_normal_form(put, tmp_path):
    composed, decomposed = "Ko\u0308ln/\u00e9.wav", "K\u00f6ln/e\u0301.wav"
    put(decomposed)
    assert there_as(tmp_path / decomposed) == tmp_path / decomposed
    assert there_as(tmp_path / composed) == tmp_path / decomposed
    assert there_as(tmp_path / "gone/a.wav") == tmp_path / "gone/a.wav"
    put(composed)
    assert there_as(tmp_path / composed) == tmp_path / composed
    (tmp_path / composed).unlink()
    assert there_as(tmp_path / composed) == tmp_path / composed  # two folders look like it
