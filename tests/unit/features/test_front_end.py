"""The reference front end against the workflow's own, and against librosa."""

import re
import shutil
import subprocess
import sys

import librosa
import numpy as np
import onnxruntime
import pytest
import soundfile
import torch
import yaml
from workflow_project import REPOSITORY

from tfseg.features.front_end import hz_of_mel, log_mel, mel_filters, mel_of_hz
from tfseg.features.logmel import FeatureSettings, Spectrograms
from tfseg.inference.events import EventSettings
from tfseg.inference.model_folder import ModelFolder
from tfseg.inference.operating_point import DetectionSettings
from tfseg.io.audio import read_mono
from tfseg.models.export import export_model


def _features(*overlays):
    features = {}
    for path in ("config.yaml", *overlays):
        features |= yaml.safe_load((REPOSITORY / path).read_text()).get("features", {})
    return FeatureSettings(**features)


SETTINGS = {
    "tfseg2019": _features(),
    "jsc2018": _features("experiments/jsc2018.yaml"),
    "mini": _features("experiments/mini.yaml"),
    "odd": FeatureSettings(11025, 1001, 333, 23, 20.0, 5000.0, 1e-6, 0.0),
    "narrow": FeatureSettings(8000, 256, 128, 40, 1200.0, 3900.0, 1e-8, 0.0),
}


@pytest.fixture(params=SETTINGS)
def settings(request):
    return SETTINGS[request.param]


@pytest.fixture
def signal(settings):
    """Two seconds: noise over 60 dB of level, a chirp, and digital silence at the end."""
    rng = np.random.default_rng(0)
    n = 2 * settings.sample_rate
    time = np.arange(n) / settings.sample_rate
    chirp = 0.3 * np.sin(2 * np.pi * (100 + 400 * time) * time)
    samples = rng.standard_normal(n) * 10 ** (-3 * time / 2) * 0.2 + chirp * (time > 1)
    samples[-3 * settings.window_length :] = 0
    return samples.astype(np.float32)


def test_it_is_the_front_end_of_the_workflow(settings, signal):
    spectrograms = Spectrograms(settings)
    expected = spectrograms.logmel(spectrograms.complex(signal))
    found = log_mel(signal, settings.as_dict())
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    # The workflow transforms in float32. Below the offset's own logarithm there is nothing.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    floor = np.log(settings.log_offset)
    assert found.min() == pytest.approx(floor, abs=1e-5)
    assert found.max() > floor + 5


def test_its_filters_are_librosas(settings):
    found = mel_filters(settings.as_dict())
    expected = librosa.filters.mel(
        sr=settings.sample_rate,
        n_fft=settings.window_length,
        n_mels=settings.n_mels,
        fmin=settings.fmin_hz,
        fmax=settings.fmax_hz,
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * expected.max())


def test_the_mel_scale_is_librosas_and_goes_back():
    hz = np.array([0, 20, 999, 1000, 1001, 6400, 16000])
    np.testing.assert_allclose(mel_of_hz(hz), librosa.hz_to_mel(hz), atol=1e-10)
    np.testing.assert_allclose(hz_of_mel(mel_of_hz(hz)), hz, atol=1e-8)
    assert mel_of_hz(6400.0) == pytest.approx(15 + 27)  # 6.4 times the break


def test_a_tone_is_loudest_in_its_band():
    settings = SETTINGS["tfseg2019"]
    time = np.arange(settings.sample_rate) / settings.sample_rate
    mel = log_mel(np.sin(2 * np.pi * 3000 * time), settings.as_dict()).mean(axis=0)
    edges = hz_of_mel(np.linspace(mel_of_hz(50), mel_of_hz(16000), settings.n_mels + 2))
    assert np.abs(edges[1:-1] - 3000).argmin() == mel.argmax()


def test_it_needs_numpy_alone(repository):
    program = (
        "import runpy, sys; import numpy; before = set(sys.modules)\n"
        f"runpy.run_path({str(repository / 'workflow_scripts/tfseg/features/front_end.py')!r})\n"
        "print(*{name.split('.')[0] for name in set(sys.modules) - before})"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert set(found.stdout.split()) <= {*sys.stdlib_module_names, "numpy"}


@pytest.fixture
def exported(tmp_path, build_tiny):
    """A folder with an exported model with moved statistics, a recording, and the front end."""
    settings = SETTINGS["mini"]
    torch.manual_seed(1)
    network = build_tiny("gwrp", n_mels=settings.n_mels, widths=(8, 8))
    network.band_mean.uniform_(-9, -4)
    network.band_std.uniform_(1, 3)
    network.train()(torch.randn(4, 60, settings.n_mels) * 2 - 6)
    network.eval()
    rng = np.random.default_rng(2)
    stereo = rng.standard_normal((3 * settings.sample_rate, 2)) * np.array([0.2, 0.02])
    soundfile.write(tmp_path / "clip.wav", stereo, settings.sample_rate, subtype="PCM_16")
    description = {
        "system": "gwrp",
        "network": "gwrp",
        "classes": ["Bark", "Chime", "Gong"],
        "features": settings.as_dict(),
        "duration_s": 3.0,
        "resampler": "soxr_hq",
        "weights_sha256": "0" * 64,
        "restricted": [],
    }
    detection = DetectionSettings(0.1, True, 0.1, 0.1, EventSettings(0.2, 0.1, 10, 10))
    model = ModelFolder(tmp_path, network, description, detection)
    export_model(model, tmp_path / "model.onnx")
    shutil.copy(REPOSITORY / "workflow_scripts/tfseg/features/front_end.py", tmp_path)
    return model


@pytest.fixture
def expected(exported):
    """Tags, frame scores and masks of the recording, as tfseg computes them."""
    spectrograms = Spectrograms(exported.settings)
    path = exported.folder / "clip.wav"
    samples = read_mono(path, exported.settings.sample_rate, resampler="soxr_hq")
    logmel = torch.from_numpy(spectrograms.logmel(spectrograms.complex(samples)))[None]
    with torch.inference_mode():
        tags, masks = exported.network(logmel)
    return tags.numpy(), masks.mean(dim=3).numpy(), masks.numpy()


def test_from_a_file_to_scores_without_torch_and_librosa_is_the_same(exported, expected):
    samples, _ = soundfile.read(exported.folder / "clip.wav")
    session = onnxruntime.InferenceSession(exported.folder / "model.onnx")
    logmel = log_mel(samples.mean(axis=1), exported.settings.as_dict())
    found = session.run(["tags", "frames", "masks"], {"logmel": logmel[None]})
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-4)
    assert expected[2].std() > 0.02


def test_the_program_of_the_docs_runs_as_it_stands(exported, expected):
    (program,) = re.findall(
        r"```python\n(.*?)```", (REPOSITORY / "docs/how-to/export.md").read_text(), re.DOTALL
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=exported.folder, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [label for label, _ in lines] == ["Bark", "Chime", "Gong"]
    np.testing.assert_allclose([float(tag) for _, tag in lines], expected[0][0], atol=1e-3)
