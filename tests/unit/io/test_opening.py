"""Every file is read to its end, whatever its header states; or it says why it is not."""

import shutil
import stat
import struct
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from tfseg.errors import UnreadableSoundError
from tfseg.io import mpeg
from tfseg.io.opening import open_sound, read_all

RATE = 8000
N = 5 * RATE
needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="needs ffmpeg (envs/system_packages.txt, audio)"
)


def _sound(n=N, seed=0):
    rng = np.random.default_rng(seed)
    return (0.3 * np.sin(np.arange(n) ** 1.1 / 9) + 0.01 * rng.standard_normal(n)).astype("f4")


@pytest.fixture
def write(tmp_path):
    def write_sound(name, samples=None, rate=RATE, **options):
        soundfile.write(tmp_path / name, _sound() if samples is None else samples, rate, **options)
        return tmp_path / name

    return write_sound


def _read(path):
    """All samples, and the problems that were noted."""
    with open_sound(path) as sound:
        pieces = [sound.read(999)]
        while len(pieces[-1]):
            pieces.append(sound.read(999))
        return np.concatenate(pieces)[:, 0], [fault.problem for fault in sound.faults]


def _with_sizes(path, places):
    content = bytearray(path.read_bytes())
    for place, code, size in places:
        struct.pack_into(code, content, place, size)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_wav_header_that_was_never_finished_means_until_the_end(write, size):
    path = write("a.wav")
    expected = read_all(path)
    _with_sizes(path, [(4, "<I", size), (40, "<I", size)])
    samples, problems = _read(path)
    np.testing.assert_array_equal(samples, expected)
    assert problems == ["unfinished_header"]


@pytest.mark.parametrize("name, place, code", [("a.au", 8, ">I"), ("a.aiff", 42, ">I")])
def test_other_unfinished_headers_too(write, name, place, code):
    path = write(name)
    expected, content = read_all(path), path.read_bytes()
    if name == "a.aiff":
        place = content.index(b"SSND") + 4
    _with_sizes(path, [(place, code, 0)])
    samples, problems = _read(path)
    np.testing.assert_array_equal(samples, expected)
    assert problems == ["unfinished_header"]


def test_a_header_that_states_too_little_is_not_believed(write):
    path = write("a.wav")
    expected = read_all(path)
    _with_sizes(path, [(40, "<I", 2 * RATE)])
    samples, problems = _read(path)
    np.testing.assert_array_equal(samples, expected)
    assert problems == ["unfinished_header"]


def test_notes_behind_the_samples_are_no_samples(write):
    path = write("a.wav")
    path.write_bytes(path.read_bytes() + b"LIST" + struct.pack("<I", 40000) + bytes(40000))
    samples, problems = _read(path)
    assert (len(samples), problems) == (N, [])


@pytest.mark.parametrize("name", ["a.wav", "a.aiff", "a.au", "a.rf64", "a.w64", "a.ogg"])
def test_what_is_there_of_a_file_cut_in_half_is_read_and_said(write, name):
    path = write(name)
    assert len(_read(path)[0]) == N
    assert _read(path)[1] == []
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    samples, problems = _read(path)
    assert 0.25 * N < len(samples) < 0.55 * N
    assert problems == ["truncated"]


def test_a_caf_cut_in_half_is_said_or_refused(write):  # libsndfile refuses it, ffmpeg reads it
    path = write("a.caf")
    assert _read(path)[1] == []
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    if shutil.which("ffmpeg") is None:
        with pytest.raises(UnreadableSoundError, match=r"a\.caf"):
            _read(path)
    else:
        assert "truncated" in _read(path)[1]


def test_a_flac_of_unknown_length_is_read_to_its_end(write):
    path = write("a.flac")
    expected, content = read_all(path), bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    samples, problems = _read(path)
    np.testing.assert_array_equal(samples, expected)
    assert problems == []
    with open_sound(path) as sound:
        assert sound.n_stated is None
        assert sound.skip(12345) == 12345
        np.testing.assert_array_equal(sound.read(50)[:, 0], expected[12345:12395])


def test_a_flac_cut_in_half_is_refused_with_the_reason(write):
    path = write("a.flac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnreadableSoundError, match=r"a\.flac.*damaged or was cut off.*ffmpeg -i"):
        _read(path)


def _without_its_count(path):
    """An mp3 file without the frame that counts the others, as streams are."""
    frames, content = mpeg.count_frames(path), path.read_bytes()
    assert frames.stated is not None
    path.write_bytes(content[frames.start :])
    return frames


def test_the_length_of_a_vbr_mp3_is_counted(tmp_path):
    path, quiet = tmp_path / "a.mp3", _sound(40 * RATE)
    quiet[: 30 * RATE] *= 1e-4  # frames of different lengths
    soundfile.write(
        path, quiet, RATE, subtype="MPEG_LAYER_III", bitrate_mode="VARIABLE", compression_level=0.9
    )
    frames = _without_its_count(path)
    assert abs(soundfile.info(path).frames / RATE - 40) > 2  # what its first frame suggests
    assert mpeg.count_frames(path).n_frames == frames.n_frames
    samples, problems = _read(path)
    assert abs(len(samples) / RATE - 40) < 0.3
    assert problems == []


def test_an_mp3_is_counted_behind_tags_and_junk(write):
    path = write("a.mp3", subtype="MPEG_LAYER_III")
    frames = mpeg.count_frames(path)
    assert frames.n_frames == frames.stated
    assert frames.n_frames * frames.samples_per_frame == pytest.approx(N, abs=3 * 576)
    content = path.read_bytes()
    tag = b"ID3\x04\0\0" + bytes([0, 0, 2, 16]) + bytes(272)
    path.write_bytes(tag + content + b"TAG" + bytes(125))
    assert mpeg.count_frames(path).n_frames == frames.n_frames


def test_no_mp3_has_no_frames(tmp_path):
    for content in (b"this is no sound", b"", b"\xff", b"\xff\xff" * 300):
        (tmp_path / "a.mp3").write_bytes(content)
        assert mpeg.count_frames(tmp_path / "a.mp3") is None


# Through ffmpeg


STUB = """#!{python}
import os, sys
import numpy as np, soundfile
arguments = sys.argv[1:]
assert "-nostdin" in arguments and arguments[arguments.index("-protocol_whitelist") + 1] == "file"
path = arguments[arguments.index("-i") + 1]
assert path.startswith("file:")
with open(path[5:], "rb") as stream:
    stream.read({n_head})
    samples, rate = soundfile.read(stream, dtype="float32", always_2d=True)
sys.stdout.buffer.write(b".snd" + np.array([24, 2**32 - 1, 6, rate, samples.shape[1]], ">u4").tobytes())
sys.stdout.buffer.write(samples.astype(">f4").tobytes())
if "broken" in path:
    print(path + ": Packet corrupt", file=sys.stderr)
sys.exit("fails" in path)
"""
PHONE = b"\0\0\0\x1cftypM4A " + bytes(16)


@pytest.fixture
def phone(tmp_path, monkeypatch):
    """Return a function that makes a file which only a stand-in for ffmpeg reads."""
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(STUB.format(python=sys.executable, n_head=len(PHONE)), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def make(name, n_channels=2, *, there=True):
        monkeypatch.setenv("PATH", str(program.parent) if there else str(tmp_path / "nothing"))
        wav = tmp_path / "inside.wav"
        soundfile.write(wav, np.stack([_sound()] * n_channels, axis=1), RATE, subtype="FLOAT")
        (tmp_path / name).write_bytes(PHONE + wav.read_bytes())
        return tmp_path / name

    return make


def test_a_file_of_a_phone_is_read_through_ffmpeg(phone):
    with open_sound(phone("a b'.m4a")) as sound:
        assert (sound.sample_rate, sound.channels, sound.n_stated) == (RATE, 2, None)
        assert sound.skip(100) == 100
        np.testing.assert_array_equal(sound.read(N)[:, 1], _sound()[100:])
        assert len(sound.read(10)) == 0
        assert sound.faults == []


def test_what_ffmpeg_complains_of_is_noted_without_the_path(phone):
    samples, problems = _read(phone("broken.m4a"))
    assert len(samples) == N
    assert problems == ["damaged"]
    with open_sound(phone("broken.m4a")) as sound:
        while len(sound.read(1000)):
            pass
        assert sound.faults[0].found == "Packet corrupt"


def test_a_file_with_which_ffmpeg_fails_is_refused(phone):
    with pytest.raises(UnreadableSoundError, match=r"fails\.m4a.*ffmpeg ended with status 1"):
        _read(phone("fails.m4a"))


def test_without_ffmpeg_the_remedy_is_said(phone):
    with pytest.raises(UnreadableSoundError, match=r"phone\.m4a.*MPEG-4.*Install ffmpeg"):
        _read(phone("phone.m4a", there=False))


def test_reading_may_stop_early(phone):
    with open_sound(phone("a.m4a")) as sound:
        sound.read(10)


@needs_ffmpeg
@pytest.mark.parametrize(
    "name",
    ["a.m4a", "a.mp4", "a.mov", "a.3gp", "a.aac", "a.wma", "a.webm", "a.mka", "a.avi", "a.tta"],
)
def test_what_ffmpeg_wrote_is_read_whole(tmp_path, write, name):
    path, wav = tmp_path / name, write("in.wav", _sound(3 * 16000), 16000)
    codec = ["-c:a", "aac"] if name[2:] in ("3gp", "mov", "mp4") else []
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-i", wav, *codec, path], check=True, timeout=60
    )
    with open_sound(path) as sound:
        rate = sound.sample_rate
    samples, problems = _read(path)
    assert abs(len(samples) / rate - 3) < 0.15
    assert problems == []
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.212, rel=0.1)


@needs_ffmpeg
def test_a_playlist_leads_nowhere(tmp_path, write):
    write("secret.wav")
    (tmp_path / "a.aac").write_text("#EXTM3U\n#EXTINF:5,\nsecret.wav\n#EXT-X-ENDLIST\n")
    with pytest.raises(UnreadableSoundError, match=r"a\.aac"):
        _read(tmp_path / "a.aac")


@pytest.mark.parametrize("stated", [0, 4_400_000_000 % 2**32, 0xFFFFFFFF])
def test_a_wav_file_of_more_than_4_gib_is_read_to_its_end(tmp_path, stated):
    n_bytes, path = 4_400_000_000, tmp_path / "night.wav"
    form = struct.pack("<IHHIIHH", 16, 1, 1, 32000, 64000, 2, 16)
    head = b"RIFF\0\0\0\0WAVEfmt " + form + b"data" + struct.pack("<I", stated)
    with path.open("wb") as file:  # sparse: zeros, and a hundred samples at its end
        file.write(head)
        file.seek(len(head) + n_bytes - 200)
        file.write(np.full(100, 1234, "<i2").tobytes())
    with open_sound(path) as stream:
        assert stream.n_stated == n_bytes // 2
        assert [fault.problem for fault in stream.faults] == ["unfinished_header"]
        stream._file.seek(n_bytes // 2 - 150)
        assert np.count_nonzero(stream.read(1000)) == 100
