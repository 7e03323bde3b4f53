"""Training from clip-level tags; it can stop at any time, and resumes bit for bit on the CPU."""

import contextlib
import hashlib
import json
import signal
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from tfseg.errors import DataError, TfsegError
from tfseg.io.tensors import load_tensors, save_tensors
from tfseg.job.seeding import derive_seed, generator
from tfseg.training.augmentation import AugmentationSettings, augment
from tfseg.training.optimiser import Adam


class Interrupted(TfsegError):
    """Training was stopped by a signal; its state is saved."""


@dataclass(frozen=True)
class TrainingSettings:
    """Keys of ``training`` in the config.

    Parameters
    ----------
    iterations, batch_size : int
    learning_rate : float
        Adam's initial learning rate.
    learning_rate_decay : float
        Factor applied every `decay_every` iterations.
    decay_every : int
    kinds : list of str or None
        Kinds of clip to train on, out of ``mixing.kinds``; None: all. Scenes alone are negatives
        of every class.
    augmentation : tfseg.training.augmentation.AugmentationSettings
    average_weights : float in [0, 1)
        Decay of the exponential moving average of the weights, which becomes the model (Tarvainen
        and Valpola, NeurIPS 2017). 0: the last weights, as released.
    teacher_weight : float
        Weight of the loss between the masks and a teacher's masks, where the system has a teacher.
    excerpt_s : float or None
        Length of the random excerpt that a batch takes of every clip (a shorter clip is repeated).
        None takes whole clips, which must all have one length.
    threads : int
        Torch's CPU threads; part of the recipe, since the last bit of sums depends on it.
    compile : bool
        Whether torch compiles the network first (needs a C++ compiler).
    history_every : int
        Iterations between rows of ``history.csv``.
    state_every : int
        Iterations between saves of the state to resume from.
    """

    iterations: int
    batch_size: int
    learning_rate: float
    learning_rate_decay: float
    decay_every: int
    kinds: list | None
    augmentation: AugmentationSettings
    average_weights: float
    teacher_weight: float
    excerpt_s: float | None
    threads: int
    compile: bool
    history_every: int
    state_every: int


def read_settings(section):
    """Build `TrainingSettings` from the section ``training`` of the config."""
    augmentation = AugmentationSettings(**section["augmentation"])
    return TrainingSettings(**section | {"augmentation": augmentation})


def band_statistics(logmel):
    """Mean and standard deviation of each mel band over clips and frames.

    Parameters
    ----------
    logmel : sequence of np.ndarray [shape=(n_frames, n_mels)]
        One for each clip.

    Returns
    -------
    mean, std : np.ndarray [shape=(n_mels,), dtype=float64]
        A constant band gets a std of 1, so that standardising it gives zeros.
    """
    total, total_square, count = 0.0, 0.0, 0
    for clip in logmel:  # clip by clip: a float64 copy of a whole fold may not fit into memory
        clip = clip.astype(np.float64)
        total, total_square = total + clip.sum(axis=0), total_square + (clip**2).sum(axis=0)
        count += len(clip)
    mean = total / count
    std = np.sqrt(np.maximum(total_square / count - mean**2, 0))
    return mean, np.where(std > 1e-6, std, 1.0)


def batch_indices(iteration, n_clips, batch_size, seed):
    """Clips of one batch: each pass over all clips is shuffled anew, and its last batch is short.

    A function of the iteration alone, so that a resumed training needs no generator state.
    """
    per_pass = -(-n_clips // batch_size)
    pass_index, position = divmod(iteration, per_pass)
    order = generator(seed, "batches", pass_index).permutation(n_clips)
    return order[position * batch_size : (position + 1) * batch_size]


class Excerpts:
    """All clips in one tensor on the device; batches take excerpts of one length from it.

    Parameters
    ----------
    logmel : sequence of np.ndarray [shape=(n_frames, n_mels)]
        One for each clip.
    n_frames : int or None
        Length of an excerpt; None for whole clips.
    seed : int
        Determines where the excerpts begin.
    device : str

    Raises
    ------
    DataError
        When whole clips are asked for and they differ in length.
    """

    def __init__(self, logmel, n_frames, seed, device="cpu"):
        lengths = [len(clip) for clip in logmel]
        if n_frames is None and len(set(lengths)) > 1:
            raise DataError(
                f"found clips of {min(lengths)} to {max(lengths)} frames: "
                "expected one length, or a number of seconds in training.excerpt_s"
            )
        flat = logmel.reshape(-1, logmel.shape[-1]) if isinstance(logmel, np.ndarray) else None
        self._flat = torch.from_numpy(np.concatenate(logmel) if flat is None else flat).to(device)
        self._lengths = np.array(lengths)
        self._starts = np.cumsum([0, *lengths[:-1]])
        self._n_frames, self._seed, self._device = n_frames or lengths[0], seed, device
        self._whole = n_frames is None

    def __len__(self):
        return len(self._lengths)

    def batch(self, clips, iteration):
        """Take one excerpt of each clip [shape=(len(clips), n_frames, n_mels), float32].

        Its start is a function of the iteration alone, as the batch is.
        """
        frames = np.arange(self._n_frames)[None]
        lengths = self._lengths[clips, None]
        if not self._whole:
            rng = generator(self._seed, "excerpts", iteration)
            # A clip no longer than the excerpt starts anywhere and is read circularly.
            room = np.where(lengths > self._n_frames, lengths - self._n_frames + 1, lengths)
            frames = (frames + np.floor(rng.random(room.shape) * room).astype(np.int64)) % lengths
        rows = torch.from_numpy(self._starts[clips, None] + frames).to(self._device)
        return self._flat[rows].float()


def binding(data_sha256, code_digest, description, seed):
    """Hash all that determines a training's result; a state with another hash is not resumed.

    Parameters
    ----------
    data_sha256, code_digest : str
    description : dict
        The system and its settings, plain values.
    seed : int
    """
    text = json.dumps(
        [data_sha256, code_digest, description, seed, torch.__version__], sort_keys=True
    )
    return hashlib.sha256(text.encode()).hexdigest()


@contextlib.contextmanager
def _stop_requested():
    """Turn SIGTERM into a flag, so that the state is saved between iterations."""
    flag = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield flag
        return
    previous = signal.signal(signal.SIGTERM, lambda *_: flag.set())
    try:
        yield flag
    finally:
        signal.signal(signal.SIGTERM, previous)


def _below(tensors, prefix):
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


class _Average:
    """Moving average of a network's weights and batch normalisation statistics.

    Its decay rises to `keep`, so that the initial weights are soon forgotten.

    Parameters
    ----------
    network : nn.Module
    keep : float in [0, 1)
        Decay; 0 keeps no average and uses the network itself.
    """

    def __init__(self, network, keep):
        self._keep = keep
        self._live = {
            name: value
            for name, value in network.state_dict(keep_vars=False).items()
            if keep and value.is_floating_point()
        }
        self._mean = {name: value.clone() for name, value in self._live.items()}

    @torch.no_grad()
    def update(self, iteration):
        """Include the weights after an iteration (from 1)."""
        if self._live:
            keep = min(self._keep, iteration / (iteration + 9))
            torch._foreach_lerp_(list(self._mean.values()), list(self._live.values()), 1 - keep)

    def tensors(self):
        """Return the average by name, to be saved."""
        return self._mean

    def load(self, tensors):
        """Restore the result of `tensors`."""
        for name, value in self._mean.items():
            value.copy_(tensors[name])

    @torch.no_grad()
    def apply(self):
        """Replace the network's weights by the average."""
        for name, value in self._live.items():
            value.copy_(self._mean[name])


class _State:
    """Everything that a training needs to resume, in one file that is written whole."""

    def __init__(self, path, bound_to):
        self._path, self._bound_to = Path(path), bound_to

    def save(self, network, optimiser, average, iteration, history, pending):
        tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
        tensors |= {f"optimiser.{name}": value for name, value in optimiser.tensors().items()}
        tensors |= {f"average.{name}": value for name, value in average.tensors().items()}
        save_tensors(
            self._path,
            tensors,
            {
                "binding": self._bound_to,
                "iteration": iteration,
                "history": history,
                "pending": pending,
            },
        )

    def load(self, network, optimiser, average, log):
        """Restore the last state; returns (iteration, history, pending), from 0 when none fits."""
        if not self._path.exists():
            return 0, [], []
        tensors, state = load_tensors(self._path)
        if state["binding"] != self._bound_to:
            log("found a saved state of other data or parameters: starting anew")
            return 0, [], []
        network.load_state_dict(_below(tensors, "network."))
        optimiser.load(_below(tensors, "optimiser."))
        average.load(_below(tensors, "average."))
        return state["iteration"], state["history"], state["pending"]


def cross_entropy(tags, target):
    """Full binary cross-entropy, mean over clips and classes; NaN for tags that are NaN.

    For a NaN, torch's own function raises an error inside a kernel, which ends the process on a
    GPU. The added zero carries the NaN to the loss instead, where it is reported.

    Parameters
    ----------
    tags : torch.Tensor [shape=(batch, class), in [0, 1]]
    target : torch.Tensor [same shape, 0 or 1]
    """
    return functional.binary_cross_entropy(tags.nan_to_num(0.5), target) + 0 * tags.sum()


def distillation(masks, teacher_masks, target):
    """Cross-entropy between masks and a teacher's masks, gated by the clips' tags.

    Where the tag of a class is zero, the teacher's mask is replaced by zero. The result is the mean
    over clips, classes and units.

    Parameters
    ----------
    masks, teacher_masks : torch.Tensor [shape=(batch, class, time, mel), in [0, 1]]
    target : torch.Tensor [shape=(batch, class), 0 or 1]
    """
    wanted = teacher_masks * target[:, :, None, None]
    return functional.binary_cross_entropy(masks.nan_to_num(0.5), wanted) + 0 * masks.sum()


def idle_classes(data):
    """Warn of classes with the same tag in every clip, from which nothing can be learned.

    Parameters
    ----------
    data : tfseg.features.feature_set.FeatureSet
        Clips to train on.

    Returns
    -------
    warnings : list of str
        At most one for classes in every clip, and one for classes in no clip.
    """
    share = data.target.mean(axis=0)
    warnings = []
    for value, text in ((1, "sounds in every clip"), (0, "sounds in no clip")):
        names = [name for name, of in zip(data.classes, share, strict=True) if of == value]
        if names:
            warnings.append(
                f"warning: {', '.join(names)}: {text} to train on, so that its tags teach nothing"
            )
    return warnings


def initial_network(build, seed, logmel):
    """Build a network with seeded weights and the standardisation of `logmel`.

    Parameters
    ----------
    build : callable
        Returns an untrained `tfseg.models.systems.MaskNetwork`.
    seed : int
    logmel : sequence of np.ndarray [shape=(n_frames, n_mels)]
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "weights"))
        network = build()
    mean, std = band_statistics(logmel)
    network.band_mean.copy_(torch.from_numpy(mean))
    network.band_std.copy_(torch.from_numpy(std))
    return network


def targets_of(network, data):
    """Return the weak labels that a network is trained on.

    Parameters
    ----------
    network : tfseg.models.systems.MaskNetwork or FrameNetwork
    data : tfseg.features.feature_set.FeatureSet

    Returns
    -------
    target : np.ndarray [shape=(n, n_classes or one more), dtype=uint8]
        The background follows the classes where the network has one. It is present in all clips
        except events alone.
    """
    if not network.has_background:
        return data.target
    background = np.array([[kind != "events"] for kind in data.kind], dtype=np.uint8)
    return np.hstack([data.target, background])


def train(
    network,
    logmel,
    target,
    settings,
    *,
    seed,
    state_path,
    bound_to,
    excerpt_frames=None,
    teacher=None,
    device="cpu",
    log=print,
    progress=None,
):
    """Train a network in place, from its last saved state if there is one.

    Full binary cross-entropy between tags and weak labels (the released code's loss; TASLP
    eq. 1 prints only its first term), Adam, the last iteration's weights or their average.

    Parameters
    ----------
    network : tfseg.models.systems.MaskNetwork or FrameNetwork
        Computes in its `precision`; weights and Adam's moments are float32 in any case.
    logmel : sequence of np.ndarray [shape=(n_frames, n_mels), dtype=float16]
        One for each clip.
    target : np.ndarray [shape=(n, n_classes)]
    settings : TrainingSettings
    seed : int
        Orders the batches.
    state_path : path-like
        File of the state to resume from. It is kept when training ends.
    bound_to : str
        `binding` of this training.
    excerpt_frames : int or None
        ``excerpt_s`` of the settings in frames.
    teacher : tfseg.models.systems.MaskNetwork or None
        In evaluation mode, with the same classes; adds `distillation` from its masks to the loss.
    device : str
    log : callable
    progress : callable or None
        ``progress(total=, initial=)`` returns a tqdm-like bar.

    Returns
    -------
    history : list of [iteration, mean loss since the last row, learning rate]

    Raises
    ------
    Interrupted
        After SIGTERM, with the state saved.
    TfsegError
        When the loss is not finite, or a batch is too small to be normalised.
    """
    torch.set_num_threads(settings.threads)
    # Channels-last convolutions are faster on CPUs and on GPUs with tensor cores.
    network.to(device, memory_format=torch.channels_last).train()
    inputs = Excerpts(logmel, excerpt_frames, seed, device)
    targets = torch.from_numpy(target).to(device)
    optimiser = Adam(network.parameters())
    average = _Average(network, settings.average_weights)
    state = _State(state_path, bound_to)
    iteration, history, pending = state.load(network, optimiser, average, log)
    if iteration:
        log(f"resuming at iteration {iteration} of {settings.iterations}")
    bar = progress(total=settings.iterations, initial=iteration) if progress else None
    run = torch.compile(network) if settings.compile else network
    with _stop_requested() as stop:
        while iteration < settings.iterations:
            rate = settings.learning_rate * settings.learning_rate_decay ** (
                iteration // settings.decay_every
            )
            clips = batch_indices(iteration, len(inputs), settings.batch_size, seed)
            batch, wanted = augment(
                inputs.batch(clips, iteration),
                targets[torch.from_numpy(clips).to(device)].float(),
                settings.augmentation,
                seed,
                iteration,
            )
            # Dropout's random values depend on the iteration alone, as all others do.
            torch.manual_seed(derive_seed(seed, "dropout", iteration))
            try:
                tags, masks = run(batch)
            except ValueError as error:  # batch normalisation of a single value
                raise TfsegError(
                    f"cannot train on a batch of {batch.shape[0]} clips of {batch.shape[1]} frames "
                    f"({error}): increase training.batch_size or training.excerpt_s"
                ) from error
            loss = cross_entropy(tags, wanted)
            if teacher is not None:
                with torch.no_grad():
                    _, teacher_masks = teacher(batch)
                n_taught = teacher_masks.shape[1]  # the teacher's masks have no background
                loss = loss + settings.teacher_weight * distillation(
                    masks[:, :n_taught], teacher_masks, wanted[:, :n_taught]
                )
            loss.backward()
            optimiser.step(rate)
            iteration += 1
            average.update(iteration)
            pending.append(loss.detach())
            if iteration % settings.history_every == 0 or iteration == settings.iterations:
                losses = [float(value) for value in pending]
                pending = []
                mean_loss = float(np.mean(losses))
                if not np.isfinite(mean_loss):
                    raise TfsegError(
                        f"the loss became {mean_loss} before iteration {iteration}: "
                        "expected a finite number; try a smaller training.learning_rate"
                    )
                history.append([iteration, mean_loss, rate])
                if bar:
                    bar.set_postfix(loss=f"{mean_loss:.4f}", refresh=False)
            finished = iteration == settings.iterations
            # Read once: a signal during the write of the state takes effect in the next iteration.
            stopping = stop.is_set() and not finished
            if finished or stopping or iteration % settings.state_every == 0:
                pending = [float(value) for value in pending]
                state.save(network, optimiser, average, iteration, history, pending)
            if bar:
                bar.update()
            if stopping:
                raise Interrupted(f"stopped at iteration {iteration}; run again to resume")
    if bar:
        bar.close()
    average.apply()
    return history
