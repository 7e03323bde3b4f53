"""What is run: the paper's sizes, or the same in small, on one device."""

import contextlib
import copy
import functools
import hashlib
import io
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import yaml

from tfseg.datasets.instruments import INSTRUMENTS
from tfseg.features.feature_set import FeatureSet
from tfseg.features.time_grid import TimeGrid, samples_in
from tfseg.job.hardware import choose_graph, choose_precision, prepare_device
from tfseg.models.registry import systems
from tfseg.models.systems import network_of
from tfseg.settings.recipes import find_recipe, merged
from tfseg.training.settings import read_settings
from tfseg.training.system import train_system

ROOT = Path(__file__).resolve().parents[2]
RECOMMENDED = "unet"
N_SOUNDING = 3
MEAN_LOGMEL = -8.0
# The experiment with trainings: the embedded corpus with all its classes, held out by pitch and place.
EMBEDDED = {
    "corpus": {"kind": "embedded", "classes": sorted(INSTRUMENTS)},
    "split": {"folds": 2, "by": "source"},
    "mixing": {"mixtures_per_fold": 2000, "snr_db": [0]},
}
# The same code in seconds, for a test on the CPU. Its numbers say nothing.
_SMALL = {
    "corpus": {
        "classes": ["Cowbell", "Flute", "Trumpet"],
        "embedded": {
            "groups_per_class": 2,
            "takes_per_group": 1,
            "places_per_scene": 2,
            "takes_per_place": 1,
        },
    },
    "features": {"sample_rate": 16000, "fmax_hz": 8000.0, "n_mels": 16},
    "mixing": {
        "mixtures_per_fold": 6,
        "duration_s": 2.5,
        "onsets_s": [0.2, 1.2],
        "max_event_s": 1.0,
    },
    "trunk": {"vgg": {"widths": [4, 4]}, "unet": {"widths": [4, 4]}},
    "baselines": {
        "dnn": {"widths": [8]},
        "wldcnn": {"widths": [4, 4, 4], "segment_maps": 8},
        "framecnn": {"width_factors": [1, 1], "dense_units": 8},
        "attention": {"stages": 2, "gated_maps": 4, "output_maps": 8, "gru_units": 4},
    },
    "training": {"iterations": 6, "batch_size": 4, "threads": 1, "history_every": 2},
    "inference": {"batch_size": 4, "threads": 1},
}


@dataclass(frozen=True)
class Sizes:
    """How much of everything.

    Attributes
    ----------
    clips : int
        Random clips that trainings and inference are timed on.
    checked_clips : int
        Clips of a batch that is compared with the CPU's.
    warm_up, steps : int
        Iterations of a training before its step is timed, and those timed.
    resumed : int
        Iterations of the training that is stopped and resumed.
    recording_s : float
        Length of the recording that a model is applied to.
    jobs : tuple of int
        Numbers of trainings at once.
    matrix, copied : int
        Rows of the matrices and bytes of the block that give the measured ceilings.
    """

    clips: int = 2000
    checked_clips: int = 4
    warm_up: int = 40
    steps: int = 200
    resumed: int = 60
    recording_s: float = 3600.0
    jobs: tuple = (1, 2, 4, 8)
    matrix: int = 8192
    copied: int = 1 << 30


SMALL_SIZES = Sizes(
    clips=9,
    checked_clips=2,
    warm_up=2,
    steps=2,
    resumed=6,
    recording_s=6.0,
    jobs=(2,),
    matrix=128,
    copied=1 << 16,
)


@functools.lru_cache(maxsize=2)
def _random_logmel(n_clips, n_frames, n_mels):
    rng = np.random.default_rng(0)
    logmel = rng.standard_normal((n_clips, n_frames, n_mels), dtype=np.float32)
    return (logmel + np.float32(MEAN_LOGMEL)).astype(np.float16)


def read_config(overlay, small):
    """Merge an overlay into config.yaml; no checks, which need libraries that a GPU node may lack."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    config = merged(config, overlay)
    return merged(config, _SMALL) if small else config


@dataclass(frozen=True)
class Setting:
    """A device, a config and sizes.

    Parameters
    ----------
    device : {"cuda", "cpu"}
    small : bool
    folder : Path
        ``results/gpu``.
    overlay : dict
        Changes to config.yaml.
    """

    device: str
    small: bool
    folder: Path
    overlay: dict

    @cached_property
    def config(self):
        """The merged configuration."""
        return read_config(self.overlay, self.small)

    @property
    def sizes(self):
        """How much of everything."""
        return SMALL_SIZES if self.small else Sizes()

    @cached_property
    def precision(self):
        """The precision that jobs choose on this device."""
        return choose_precision("auto", self.device, log=lambda text: None)

    @property
    def work(self):
        """Folder of what parts share, such as features; made here."""
        path = self.folder / "work"
        path.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def systems(self):
        """All systems, and the recommended one; in small, one of each kind."""
        return ["gwrp", "dnn", RECOMMENDED] if self.small else [*systems(), RECOMMENDED]

    @property
    def classes(self):
        """Class labels."""
        return tuple(self.config["corpus"]["classes"])

    @property
    def grid(self):
        """Time grid of the features."""
        names = ("sample_rate", "window_length", "hop_length")
        return TimeGrid(**{name: self.config["features"][name] for name in names})

    @property
    def shape(self):
        """Frames and mel bands of a clip."""
        n_samples = samples_in(self.config["mixing"]["duration_s"], self.grid.sample_rate)
        return self.grid.n_frames(n_samples), self.config["features"]["n_mels"]

    def changed(self, overlay):
        """The same with more changes to the config."""
        return replace(self, overlay=merged(self.overlay, overlay))

    def description(self, system):
        """Description of a model, as `tfseg.models.systems.network_of` takes it."""
        recipe = find_recipe(self.config, system)
        return {
            "system": system,
            "network": recipe.network,
            "classes": list(self.classes),
            "features": self.config["features"],
            "trunk": recipe.trunk,
            "pooling": recipe.pooling,
            "baselines": self.config["baselines"],
        }

    def network(self, system):
        """An untrained network with seeded weights, on the CPU."""
        torch.manual_seed(0)
        network = network_of(self.description(system))
        network.band_mean.fill_(MEAN_LOGMEL)  # of `clips`
        return network

    def settings(self, system, **changes):
        """Settings of a system's training, with changes."""
        section = copy.deepcopy(find_recipe(self.config, system).own_training)
        return read_settings(section | changes)

    def clips(self, n_clips):
        """Random clips with ideal masks as a feature set."""
        rng = np.random.default_rng(0)
        n_classes, (n_frames, n_mels) = len(self.classes), self.shape
        rows = np.repeat(np.arange(n_clips), N_SOUNDING)
        classes = np.arange(len(rows)) % n_classes
        target = np.zeros((n_clips, n_classes), dtype=np.uint8)
        target[rows, classes] = 1
        n_bytes = -(-n_frames * n_mels // 8)
        return FeatureSet(
            logmel=_random_logmel(n_clips, n_frames, n_mels),
            target=target,
            mixture=[f"m{i}" for i in range(n_clips)],
            kind=["mixture"] * n_clips,
            part=["train"] * n_clips,
            mask_mixture=rows,
            mask_class=classes.astype(np.int64),
            mask_bits=rng.integers(0, 256, (len(rows), n_bytes), dtype=np.uint8)
            & rng.integers(0, 256, (len(rows), n_bytes), dtype=np.uint8),
            classes=self.classes,
            settings=self.config["features"],
        )

    def whole_batches(self, system):
        """Random clips that fill all batches: a short one is compiled and recorded anew."""
        n_clips, batch_size = self.sizes.clips, self.settings(system).batch_size
        return self.clips(max(n_clips // batch_size, 1) * batch_size)

    def short_batches(self, system):
        """Random clips of which every third batch is a short one."""
        return self.clips(5 * self.settings(system).batch_size // 2)

    def prepare(self):
        """Set up torch as the workflow's jobs do."""
        with contextlib.redirect_stdout(io.StringIO()):
            prepare_device(int(self.device == "cuda"), self.config["training"]["threads"])

    def train(self, system, data, settings, state_path, *, watch=None, precision=None, seed=1):
        """Train a system as the workflow's job does; what it prints is left out.

        Returns
        -------
        network, history
            As `tfseg.training.system.train_system` returns.
        """
        if settings.compile:
            torch.compiler.reset()  # it counts compiled variants, over all networks of a process
        with contextlib.redirect_stdout(io.StringIO()):
            return train_system(
                self.description(system),
                data,
                settings,
                seed=seed,
                precision=precision or self.precision,
                data_sha256=str(len(data.mixture)),
                code_digest=code_digest(),
                state_path=state_path,
                device=self.device,
                graph=choose_graph(settings.graph, self.device),
                progress=watch,
            )


class Watch:
    """A progress bar that does something once so many iterations are done.

    Parameters
    ----------
    actions : list of (int, callable)
        In ascending order. Each is called with the number of iterations that are done.
    """

    def __init__(self, actions):
        self._actions, self.done = list(actions), 0

    def __call__(self, total, initial):
        """Begin with the iterations that are done."""
        self.done = initial
        return self

    def update(self, n=1):
        """Count iterations, and do what is due."""
        self.done += n
        while self._actions and self.done >= self._actions[0][0]:
            self._actions.pop(0)[1](self.done)

    def set_postfix(self, **values):
        """Show nothing."""

    def close(self):
        """Close nothing."""


def synchronise(device):
    """Wait for all work of a device."""
    if device == "cuda":
        torch.cuda.synchronize()


def code_digest():
    """SHA-256 of all code and settings that the evidence depends on."""
    paths = [
        *sorted((ROOT / "workflow_scripts" / "tfseg").rglob("*.py")),
        *sorted((ROOT / "bench").rglob("*.py")),
        ROOT / "config.yaml",
    ]
    text = "".join(
        f"{path.relative_to(ROOT)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        for path in paths
    )
    return hashlib.sha256(text.encode()).hexdigest()
