"""Recordings in unusual formats: the right sound, or an error that names the file."""

import os
import subprocess
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import strategies as st

from tfseg.datasets.inspection import inspect_recording
from tfseg.errors import DataError
from tfseg.io.audio import read_blocks, read_mono

pytestmark = pytest.mark.full
RATE = 16000


def _row(path):
    return {"role": "event", "path": str(path), "start_s": 0.0, "stop_s": np.nan, "label": "Bark"}


def _use(path):
    """The two steps of a run for a recording: inspection, then reading (in both ways)."""
    _, problems = inspect_recording(_row(path))
    errors = [problem for problem in problems if problem["severity"] == "error"]
    if errors:
        raise DataError("; ".join(f"{p['path']}: {p['problem']}: {p['found']}" for p in errors))
    samples = read_mono(path, RATE, resampler="soxr_hq")
    blocks = read_blocks(path, RATE, resampler="soxr_hq", n_block=4096, n_overlap=0, n_least=1)
    assert np.isfinite(samples).all()
    whole = np.concatenate(list(blocks))[: len(samples)]
    np.testing.assert_allclose(whole, samples[: len(whole)], atol=1e-3)
    return samples


def _tone(rate, n_samples=None, hz=440.0):
    time = np.arange(rate // 2 if n_samples is None else n_samples) / rate
    return 0.4 * np.sin(2 * np.pi * hz * time)


# Steps of each format, in shares of full scale.
SUBTYPES = {
    "PCM_U8": 2**-7, "PCM_16": 2**-15, "PCM_24": 2**-22, "PCM_32": 2**-22,
    "FLOAT": 2**-22, "DOUBLE": 2**-22, "ULAW": 0.03, "ALAW": 0.03,
}  # fmt: skip


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000])
@pytest.mark.parametrize("subtype", SUBTYPES)
@pytest.mark.parametrize("n_channels", [1, 2, 6])
def test_a_sound_is_the_same_in_every_form(tmp_path, tally, rate, subtype, n_channels):
    path = tmp_path / "form.wav"
    good = soxr.resample(_tone(rate), rate, RATE, quality="HQ") if rate != RATE else _tone(rate)
    soundfile.write(path, np.stack([_tone(rate)] * n_channels, axis=1), rate, subtype=subtype)
    samples, refused = tally.attempt("audio: good forms", lambda: _use(path), names="form.wav")
    assert not refused
    assert abs(len(samples) - RATE // 2) <= 1
    n = min(len(samples), len(good))
    assert np.abs(samples[:n] - good[:n]).max() < 2 * SUBTYPES[subtype]


@pytest.mark.parametrize(
    ("name", "subtype"),
    [("a.flac", "PCM_24"), ("a.aiff", "PCM_16"), ("a.au", "FLOAT"), ("a.caf", "PCM_16"),
     ("a.w64", "PCM_16"), ("a.rf64", "PCM_16")],
)  # fmt: skip
def test_a_sound_is_the_same_in_every_container(tmp_path, tally, name, subtype):
    path = tmp_path / name
    soundfile.write(path, _tone(RATE), RATE, subtype=subtype)
    samples, refused = tally.attempt("audio: good forms", lambda: _use(path), names=name)
    assert not refused
    assert np.abs(samples - _tone(RATE)).max() < 2**-14


def _bytes(n):
    return lambda path: path.write_bytes(n)


def _samples(samples, rate=RATE, subtype="FLOAT"):
    return lambda path: soundfile.write(path, samples, rate, subtype=subtype)


def _cut(keep):
    def write(path):
        soundfile.write(path, _tone(RATE), RATE)
        path.write_bytes(path.read_bytes()[:keep])

    return write


_SPOILED = _tone(RATE)
OF_NO_USE = {
    "no bytes": _bytes(b""),
    "one byte": _bytes(b"R"),
    "text": _bytes(b"this is no sound, whatever its name says\n" * 40),
    "html": _bytes(b"<html><body>404 Not Found</body></html>"),
    "zeros": _bytes(bytes(5000)),
    "noise": _bytes(np.random.default_rng(0).bytes(5000)),
    "a zip": _bytes(b"PK\x03\x04" + bytes(200)),
    "header only": _cut(44),
    "half a header": _cut(21),
    "one sample lost": _cut(-2),
    "half lost": _cut(4000),
    "no samples": _samples(np.zeros(0)),
    "silence": _samples(np.zeros(800)),
    "silence in six channels": _samples(np.zeros((800, 6))),
    "below a step of 16 bit": _samples(np.full(800, 1e-6)),
    "opposite channels": _samples(np.stack([_SPOILED, -_SPOILED], axis=1)),
    "a NaN": _samples(np.where(np.arange(len(_SPOILED)) == 77, np.nan, _SPOILED)),
    "an infinity": _samples(np.where(np.arange(len(_SPOILED)) == 77, np.inf, _SPOILED)),
    "all NaN": _samples(np.full(800, np.nan)),
    "too large for float32": _samples(np.full(800, 1e200), subtype="DOUBLE"),
    "channels too large to add": _samples(np.full((800, 2), 3e38)),
    "less than a sample at our rate": _samples(np.array([0.5]), rate=192000),
}


@pytest.mark.parametrize("what", OF_NO_USE)
def test_what_is_of_no_use_is_refused_by_name(tmp_path, tally, what):
    path = tmp_path / "spoiled.wav"
    OF_NO_USE[what](path)
    _, refused = tally.attempt("audio: of no use", lambda: _use(path), names="spoiled.wav")
    assert refused


@pytest.mark.parametrize("n_samples", [1, 2, 3, 10, 100])
def test_a_few_samples_are_used_as_they_are(tmp_path, tally, n_samples):
    path = tmp_path / "short.wav"
    soundfile.write(path, np.full(n_samples, 0.5), RATE, subtype="FLOAT")
    samples, refused = tally.attempt("audio: a few samples", lambda: _use(path), names="short.wav")
    assert not refused
    assert samples.tolist() == [0.5] * n_samples


@hypothesis.given(
    position=st.integers(0, 79), bit=st.integers(0, 7), kind=st.sampled_from(["WAV", "AIFF", "AU"])
)
@hypothesis.settings(max_examples=hypothesis.settings().max_examples * 5)
def test_a_flipped_bit_in_a_header_is_refused_by_name_or_readable(
    tmp_path_factory, tally, position, bit, kind
):
    path = tmp_path_factory.mktemp("flip") / "header.wav"
    soundfile.write(path, _tone(RATE, 900), RATE, format=kind)
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(content)
    tally.attempt("audio: a bit of a header", lambda: _use(path), names="header.wav")


@hypothesis.given(
    samples=st.lists(st.floats(width=32, allow_nan=True), max_size=40),
    n_channels=st.integers(1, 8),
    rate=st.sampled_from([1, 8, 100, 8000, 192000, 1_000_000]),
    subtype=st.sampled_from(["PCM_U8", "PCM_24", "FLOAT", "DOUBLE"]),
)
def test_any_samples_are_refused_by_name_or_finite(
    tmp_path_factory, tally, samples, n_channels, rate, subtype
):
    path = tmp_path_factory.mktemp("any") / "any.wav"
    block = np.repeat(np.array(samples, dtype=np.float32)[:, None], n_channels, axis=1)
    soundfile.write(path, block, rate, subtype=subtype)
    tally.attempt("audio: any samples", lambda: _use(path), names="any.wav")


def test_a_file_without_permission_is_a_problem_of_that_file(tmp_path, repository, tally):
    path = tmp_path / "locked.wav"
    soundfile.write(path, _tone(RATE), RATE)
    path.chmod(0)
    code = (
        "import json, os, sys; import numpy as np\n"
        "from tfseg.io.audio import read_mono; from tfseg.errors import DataError\n"
        "from tfseg.datasets.inspection import inspect_recording\n"
        "os.setgroups([]) if os.geteuid() == 0 else None\n"
        "os.setuid(65534) if os.geteuid() == 0 else None\n"
        "path = 'locked.wav'\n"
        "row = dict(role='event', path=path, start_s=0.0, stop_s=np.nan, label='Bark')\n"
        "found = inspect_recording(row)[1]\n"
        "try: read_mono(path, 8000, resampler='soxr_hq')\n"
        "except DataError as error: found.append(str(error))\n"
        "print(json.dumps(found))\n"
    )
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001 and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    environment = os.environ | {"PYTHONPATH": str(repository / "workflow_scripts")}
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert '"problem": "unreadable"' in ended.stdout
    assert '"found": "Permission denied"' in ended.stdout
    assert "locked.wav: expected a sound file, found one that cannot be read" in ended.stdout
    tally.add("audio: without permission", "refused")
