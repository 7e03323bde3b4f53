"""The batches of a training: which clips, which excerpts of them, and how they are changed.

All of it is a function of seed and iteration, so a resumed training needs no generator state. It is
drawn on the host for many iterations at once and goes to the device in one copy, so that no
iteration waits for the host.
"""

import numpy as np
import torch

from tfseg.errors import DataError
from tfseg.job.seeding import generator
from tfseg.training.augmentation import augment, draw_changes
from tfseg.training.splicing import draw_cuts, splice

# How much is drawn at once; no value depends on it.
_MAX_ITERATIONS, _MAX_FRAMES = 64, 1 << 20


def _to_device(array, device):
    """Copy an array to a device; the host does not wait for a GPU."""
    tensor = torch.from_numpy(array)
    if torch.device(device).type == "cuda":
        tensor = tensor.pin_memory()  # else the copy waits for all work that was given to the GPU
    return tensor.to(device, non_blocking=True)


class Batches:
    """All clips in one tensor on the device, and what is drawn of each batch.

    Each pass over all clips is shuffled anew, and its last batch is short.

    Parameters
    ----------
    logmel : sequence of np.ndarray [shape=(n_frames, n_mels), dtype=float16]
        One for each clip.
    target : np.ndarray [shape=(n, n_classes)]
    settings : tfseg.training.settings.TrainingSettings
    seed : int
    n_frames : int or None
        Length of the excerpt that a batch takes of every clip; None for whole clips.
    device : str

    Raises
    ------
    DataError
        When whole clips are asked for and they differ in length.
    """

    def __init__(self, logmel, target, settings, *, seed, n_frames=None, device="cpu"):
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
        self._target, self._settings = target, settings
        self._n_frames, self._seed, self._device = n_frames or lengths[0], seed, device
        self._whole = n_frames is None
        self._pass_index, self._order = -1, np.empty(0, dtype=np.int64)

    def _clips(self, iteration):
        """Clips of one batch."""
        n_clips, size = len(self._lengths), self._settings.batch_size
        pass_index, position = divmod(iteration, -(-n_clips // size))
        if self._pass_index != pass_index:
            self._pass_index = pass_index
            self._order = generator(self._seed, "batches", pass_index).permutation(n_clips)
        return self._order[position * size : (position + 1) * size]

    def _firsts(self, clips, iteration):
        """Frame at which the excerpt of each clip begins [shape=(len(clips), 1)]."""
        rng = generator(self._seed, "excerpts", iteration)
        lengths = self._lengths[clips, None]
        # A clip no longer than the excerpt starts anywhere and is read circularly.
        room = np.where(lengths > self._n_frames, lengths - self._n_frames + 1, lengths)
        return np.floor(rng.random(room.shape) * room).astype(np.int64)

    def _changes(self, clips, iteration):
        """How the clips of one batch are augmented and spliced."""
        n_clips, n_frames, n_mels = len(clips), self._n_frames, self._flat.shape[1]
        settings, seed = self._settings, self._seed
        return draw_changes(
            settings.augmentation, n_clips, n_frames, n_mels, seed, iteration
        ) | draw_cuts(settings.splice, n_clips, n_frames, seed, iteration)

    def _drawn(self, first, stop):
        """Draw for some iterations; returns a dict of tensors for each."""
        iterations = range(first, stop)
        batches = [self._clips(iteration) for iteration in iterations]
        changes = [self._changes(*one) for one in zip(batches, iterations, strict=True)]
        drawn = {name: np.concatenate([one[name] for one in changes]) for name in changes[0]}
        clips = np.concatenate(batches)
        frames = np.arange(self._n_frames)[None]
        if "turns" in drawn:
            frames = (frames + drawn.pop("turns")) % self._n_frames
        if not self._whole:
            firsts = [self._firsts(*one) for one in zip(batches, iterations, strict=True)]
            frames = (frames + np.concatenate(firsts)) % self._lengths[clips, None]
        drawn["rows"] = self._starts[clips, None] + frames
        drawn["wanted"] = self._target[clips].astype(np.float32)
        sizes = [len(batch) for batch in batches]
        parts = {
            name: _to_device(values, self._device).split(sizes) for name, values in drawn.items()
        }
        parts["iteration"] = _to_device(np.array(iterations), self._device).unbind()
        return [dict(zip(parts, one, strict=True)) for one in zip(*parts.values(), strict=True)]

    def inputs(self, first, stop):
        """Yield all that is drawn for iterations `first` to `stop`, without the last.

        Yields
        ------
        inputs : dict of str to torch.Tensor [shape=(batch, ...)]
            ``rows`` (batch, time, int64), the places of the frames; ``wanted`` (batch, class,
            float32), the weak labels; what `tfseg.training.augmentation.draw_changes` and
            `tfseg.training.splicing.draw_cuts` drew; and the ``iteration`` (a scalar, int64).
        """
        per_iteration = self._settings.batch_size * self._n_frames
        n_at_once = max(1, min(_MAX_ITERATIONS, _MAX_FRAMES // per_iteration))
        for begin in range(first, stop, n_at_once):
            yield from self._drawn(begin, min(begin + n_at_once, stop))

    def gather(self, inputs):
        """Gather, augment and splice one batch on the device.

        Returns
        -------
        batch : torch.Tensor [shape=(batch, time, mel), float32]
            Log-mel.
        wanted : torch.Tensor [shape=(batch, class), float32, 0 or 1]
        known : tfseg.training.splicing.Known
        """
        rows = inputs["rows"]
        batch = self._flat.index_select(0, rows.flatten()).view(*rows.shape, -1).float()
        batch, wanted = augment(batch, inputs["wanted"], inputs)
        return splice(batch, wanted, inputs, self._settings.splice)
