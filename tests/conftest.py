"""Fixtures that several tests share: configs, a tiny corpus, its stems and networks, a finished run."""

import copy
import fcntl
import itertools
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from workflow_project import TINY, TWO_TRAININGS, Project, copy_project

REPOSITORY = Path(__file__).resolve().parents[1]
IN_ONE_OF_SEVERAL = "PYTEST_XDIST_WORKER" in os.environ


def pytest_addoption(parser):
    parser.addoption(
        "--long", action="store_true", help="also the long tests, and many more bad inputs"
    )


def pytest_collection_modifyitems(items):
    """With several processes (pytest -n), start the slow files first, so that all end together."""
    if IN_ONE_OF_SEVERAL:
        slow = {item.path for item in items if item.get_closest_marker("workflow")}
        items.sort(key=lambda item: item.path not in slow)


def _merged(base, overlay):
    """Merge as the workflow does: dictionaries key by key, everything else replaced."""
    merged = dict(base)
    for key, value in overlay.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            value = _merged(merged[key], value)
        merged[key] = value
    return merged


@pytest.fixture(scope="session")
def repository():
    return REPOSITORY


@pytest.fixture(scope="session")
def _full_config():
    return yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def full_config(_full_config):
    """A fresh copy of config.yaml."""
    return copy.deepcopy(_full_config)


@pytest.fixture
def experiment(_full_config):
    """Return a function that merges experiments into a fresh copy of config.yaml."""

    def lay_over(*names):
        config = _full_config
        for name in names:
            path = REPOSITORY / f"experiments/{name}.yaml"
            config = _merged(config, yaml.safe_load(path.read_text(encoding="utf-8")))
        return copy.deepcopy(config)

    return lay_over


@pytest.fixture
def mini_config(experiment):
    """A fresh copy of experiments/mini.yaml, merged over config.yaml."""
    return experiment("mini")


@pytest.fixture
def flip():
    """Return a function that flips bits of one byte of a file."""

    def flip_byte(path, position, mask=0x10):
        content = bytearray(Path(path).read_bytes())
        content[position] ^= mask
        Path(path).write_bytes(content)

    return flip_byte


@pytest.fixture
def close_folder(monkeypatch):
    """Return a function that lets no folder of a name be listed, also for root."""

    def close(name):
        scandir = os.scandir

        def refuse(path):
            if os.path.basename(path) == name:
                raise PermissionError(13, "Permission denied")
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)

    return close


# A corpus of a dozen short recordings, at a low sample rate for speed.

CLASSES = ("Bark", "Chime", "Gong")  # Gong never sounds
RATE = 8000


def _burst(rng, n_samples, hz, rate):
    """A decaying, noisy tone: its level in the first half differs from that of the whole."""
    time = np.arange(n_samples) / rate
    tone = np.sin(2 * np.pi * hz * time) + 0.3 * rng.standard_normal(n_samples)
    return 0.2 * tone * np.exp(-3 * time)


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory):
    """Three recordings of two classes and two scenes in each of two folds."""
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(7)
    events, scenes = [], []
    for fold, label, index in itertools.product((1, 2), CLASSES[:2], range(3)):
        rate = 16000 if index == 2 else RATE
        length_s = (0.3, 0.5, 1.1)[index]
        samples = _burst(rng, int(length_s * rate), 500 if label == "Bark" else 1700, rate)
        path = folder / f"{label}-{fold}-{index}.wav"
        soundfile.write(path, samples, rate, subtype="FLOAT")
        events.append((str(path), label, fold, 0.0, length_s, path.stem, "CC0"))
    for fold, (kind, length_s) in itertools.product((1, 2), (("park", 0.7), ("street", 3.0))):
        samples = 0.1 * rng.standard_normal(int(length_s * RATE))
        path = folder / f"{kind}-{fold}.wav"
        soundfile.write(path, samples, RATE, subtype="FLOAT")
        scenes.append((str(path), kind, fold, path.stem, "CC0", length_s))
    return SimpleNamespace(
        events=pd.DataFrame(
            events, columns=["path", "label", "fold", "start_s", "stop_s", "group", "licence"]
        ),
        scenes=pd.DataFrame(
            scenes, columns=["path", "scene", "fold", "group", "licence", "duration_s"]
        ),
        classes=CLASSES,
        rate=RATE,
    )


@pytest.fixture(scope="session")
def tiny_plan(tiny_corpus):
    """A plan of four mixtures in each of two folds: of one class, and of two."""
    from tfseg.mixing.remixing import plan_mixtures

    mixtures, mixture_events = plan_mixtures(
        tiny_corpus.events,
        tiny_corpus.scenes,
        folds=[1, 2],
        mixtures_per_fold=[4, 4],
        duration_s=1.5,
        onsets_s=[0.1, 0.8],
        events_per_mixture=1,
        overlap=False,
        max_event_s=0.5,
        kinds=["mixture"],
        scene_start="beginning",
        seed=10,
    )
    return SimpleNamespace(mixtures=mixtures, events=mixture_events)


@pytest.fixture(scope="session")
def render(tiny_corpus):
    """Return a function that renders mixtures into a stems file."""
    import h5py

    from tfseg.mixing.remixing import render_stems

    def render_to(path, mixtures, mixture_events, **changes):
        settings = {
            "classes": tiny_corpus.classes,
            "sample_rate": tiny_corpus.rate,
            "resampler": "soxr_hq",
            "max_event_s": 0.5,
            "snr_db": [20, 10, 0, -5],
            "snr_on": "file",
        }
        corpus_events = changes.pop("corpus_events", tiny_corpus.events)
        with h5py.File(path, "w") as file:
            render_stems(file, mixtures, mixture_events, corpus_events, **(settings | changes))
        return path

    return render_to


@pytest.fixture(scope="session")
def tiny_stems(tmp_path_factory, render, tiny_plan):
    """Path of the stems of the whole tiny plan."""
    path = tmp_path_factory.mktemp("stems") / "stems.h5"
    return render(path, tiny_plan.mixtures, tiny_plan.events)


@pytest.fixture(scope="session")
def tiny_settings():
    """Feature settings whose masks do not fill whole bytes (92 frames x 13 bands)."""
    from tfseg.features.logmel import FeatureSettings

    return FeatureSettings(
        sample_rate=RATE,
        window_length=256,
        hop_length=128,
        n_mels=13,
        fmin_hz=50.0,
        fmax_hz=4000.0,
        log_offset=1e-8,
        ibm_criterion_db=-5.0,
    )


@pytest.fixture(scope="session")
def build_tiny(_full_config):
    """Return a function that builds a small untrained network."""
    from tfseg.models.systems import build_network

    def build(system="gwrp", *, n_classes=3, n_mels=13, widths=(4, 4), background=False):
        return build_network(
            system,
            n_classes=n_classes,
            n_mels=n_mels,
            trunk_settings={
                "kind": "vgg",
                "vgg": {"widths": list(widths), "dropout": 0.0},
                "background": background,
                "share_energy": False,
            },
            pooling_settings=_full_config["pooling"]
            | {"gwrp": {"r": 0.99, "reference_units": 100}},
        )

    return build


@pytest.fixture
def build_narrow(full_config):
    """Return a function that builds any system for three classes and 16 bands, its trunk narrow."""
    from tfseg.models.systems import build_network

    def build(system):
        return build_network(
            system,
            n_classes=3,
            n_mels=16,
            trunk_settings=full_config["trunk"]
            | {"kind": "vgg", "vgg": {"widths": [8, 8], "dropout": 0.0}},
            pooling_settings=full_config["pooling"],
            baseline_settings=full_config["baselines"],
        )

    return build


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    # Snakemake keeps a cache in the home folder; tests must not need one that can be written.
    previous = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if previous is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = previous


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished run of the tiny experiment; tests may only read it or make dry runs.

    With several processes (pytest -n), the first one makes it, and the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if IN_ONE_OF_SEVERAL else base) / "finished"
    root.mkdir(exist_ok=True)
    project, mark = Project(root / "a folder", TINY), root / "done"
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            shutil.rmtree(project.folder, ignore_errors=True)
            copy_project(project.folder, TINY).snakemake("--resources", "gpu=2")
            mark.touch()
    return project


@pytest.fixture(scope="session")
def _features(tmp_path_factory):
    overlay = tmp_path_factory.mktemp("overlay") / "two_trainings.yaml"
    overlay.write_text(yaml.safe_dump(TWO_TRAININGS))
    project = copy_project(tmp_path_factory.mktemp("run") / "a folder", [*TINY, overlay])
    project.snakemake("--until", "extract_features")
    return project


@pytest.fixture(scope="session")
def before_training(tmp_path_factory, _features):
    """Return a function that copies a run that stopped before two trainings."""

    def copy():
        folder = tmp_path_factory.mktemp("run") / "a folder"
        shutil.copytree(_features.folder, folder, symlinks=True)
        return Project(folder, _features.overlays)

    return copy


@pytest.fixture(scope="session")
def trained(before_training):
    """Bytes of the two undisturbed trainings."""
    project = before_training()
    project.snakemake("--resources", "gpu=2", "--until", "train_model")
    return project.result_bytes()
