"""Which clips a batch has, and which excerpts of them."""

import numpy as np
import torch

from tfseg.errors import DataError
from tfseg.job.seeding import generator


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
