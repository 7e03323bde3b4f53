"""Stored features in memory, for training and inference (few imports, so that jobs start fast)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tfseg.errors import DamagedFileError
from tfseg.features.time_grid import TimeGrid
from tfseg.io.files import create_dataset, read_description, reading_hdf5

_CHUNK_FRAMES = 512


@dataclass(frozen=True)
class FeatureSet:
    """Features of some folds.

    Attributes
    ----------
    logmel : sequence of np.ndarray [shape=(n_frames, n_mels), dtype=float16]
        One for each clip; a single array (n, n_frames, n_mels) where all have one length.
    target : np.ndarray [shape=(n, n_classes), dtype=uint8]
    mixture : list of str
    kind : list of {"mixture", "events", "scene", "clip"}
    part : list of {"train", "validation"}
        Use of each clip when its fold is a training fold.
    mask_mixture, mask_class : np.ndarray [shape=(m,), dtype=int64]
        Mixture (row of `logmel`) and class of each row of `mask_bits`.
    mask_bits : np.ndarray [shape=(m, n_bytes), dtype=uint8]
        Ideal binary masks, packed; no rows for clips that were not mixed here.
    classes : tuple of str
    settings : dict
        The stored T-F representation (fields of `tfseg.features.logmel.FeatureSettings`).
    """

    logmel: Sequence
    target: np.ndarray
    mixture: list
    kind: list
    part: list
    mask_mixture: np.ndarray
    mask_class: np.ndarray
    mask_bits: np.ndarray
    classes: tuple
    settings: dict

    @property
    def grid(self):
        """The frames' time grid."""
        names = ("sample_rate", "window_length", "hop_length")
        return TimeGrid(**{name: self.settings[name] for name in names})

    def of_kinds(self, kinds):
        """Select the clips of these kinds, with their ideal masks."""
        return self._of_rows(np.flatnonzero(np.isin(self.kind, kinds)))

    def scored(self):
        """Only what is scored: training may also see events and scenes alone."""
        return self.of_kinds(["mixture", "clip"])

    def of_parts(self, parts):
        """Select the clips of these parts, with their ideal masks."""
        return self._of_rows(np.flatnonzero(np.isin(self.part, parts)))

    def _of_rows(self, rows):
        if len(rows) == len(self.kind):
            return self
        new_row = np.full(len(self.kind), -1)
        new_row[rows] = np.arange(len(rows))
        masks = np.flatnonzero(new_row[self.mask_mixture] >= 0)
        logmel = self.logmel
        return replace(
            self,
            logmel=logmel[rows] if isinstance(logmel, np.ndarray) else [logmel[i] for i in rows],
            target=self.target[rows],
            mixture=[self.mixture[i] for i in rows],
            kind=[self.kind[i] for i in rows],
            part=[self.part[i] for i in rows],
            mask_mixture=new_row[self.mask_mixture[masks]],
            mask_class=self.mask_class[masks],
            mask_bits=self.mask_bits[masks],
        )

    def ideal_masks(self, rows):
        """Unpack ideal masks [shape=(len(rows), n_frames, n_mels), dtype=bool]."""
        n_frames, n_mels = self.logmel[0].shape
        bits = np.unpackbits(self.mask_bits[rows], axis=1, count=n_frames * n_mels)
        return bits.reshape(-1, n_frames, n_mels).astype(bool)


def create_ragged(file, name, n_clips, longest, n_columns, dtype):
    """Create a padded dataset for arrays of any length [shape=(n_clips, longest, n_columns)].

    Chunks of a short clip's unused frames are not written, and take no space.
    """
    chunks = (1, min(longest, _CHUNK_FRAMES), n_columns)
    shape = (n_clips, longest, n_columns)
    return create_dataset(file, name, shape=shape, dtype=dtype, chunks=chunks)


def write_ragged(file, name, clips):
    """Store arrays of different lengths as one padded dataset, and ``n_frames`` beside it.

    Parameters
    ----------
    file : h5py.File
    name : str
    clips : sequence of np.ndarray [shape=(n_frames, n_columns)]
    """
    n_frames = np.array([len(clip) for clip in clips], dtype=np.int64)
    longest = int(n_frames.max(initial=1))
    n_columns = clips[0].shape[1] if len(clips) else 1
    dtype = clips[0].dtype if len(clips) else np.float16
    dataset = create_ragged(file, name, len(clips), longest, n_columns, dtype)
    for row, clip in enumerate(clips):
        dataset[row, : len(clip)] = clip
    create_dataset(file, "n_frames", data=n_frames)


def read_ragged(file, name):
    """Read the data of `write_ragged`: one array for each clip, a single one for equal lengths."""
    n_frames = file["n_frames"][:]
    dataset = file[name]
    if (n_frames == dataset.shape[1]).all():
        return dataset[:]
    return [dataset[row, :n] for row, n in enumerate(n_frames)]


def join_clips(parts):
    """Join sequences of clips; a single array where all have one length."""
    if all(isinstance(part, np.ndarray) for part in parts) and (
        len({part.shape[1:] for part in parts}) == 1
    ):
        return np.concatenate(parts)
    return [clip for part in parts for clip in part]


def load_features(paths):
    """Load and join feature files (shards of one or more folds, of one SNR).

    Raises
    ------
    DamagedFileError
        When a file is damaged, or the files disagree on classes or settings.
    """
    shards = []
    for path in paths:
        with reading_hdf5(path) as file:
            description = read_description(file)
            shard = FeatureSet(
                logmel=read_ragged(file, "logmel"),
                target=file["target"][:],
                mixture=[name.decode() for name in file["mixture"][:]],
                kind=[kind.decode() for kind in file["kind"][:]],
                part=[part.decode() for part in file["part"][:]],
                mask_mixture=file["mask_mixture"][:],
                mask_class=file["mask_class"][:],
                mask_bits=file["mask_bits"][:],
                classes=tuple(description["classes"]),
                settings=description["settings"],
            )
        if shards and (shard.classes, shard.settings) != (shards[0].classes, shards[0].settings):
            raise DamagedFileError(
                f"{path}: its classes or feature settings differ from those of {paths[0]}"
            )
        shards.append(shard)
    offsets = np.cumsum([0] + [len(shard.mixture) for shard in shards[:-1]])
    return FeatureSet(
        logmel=join_clips([shard.logmel for shard in shards if len(shard.mixture)]),
        target=np.concatenate([shard.target for shard in shards]),
        mixture=[name for shard in shards for name in shard.mixture],
        kind=[kind for shard in shards for kind in shard.kind],
        part=[name for shard in shards for name in shard.part],
        mask_mixture=np.concatenate(
            [shard.mask_mixture + offset for shard, offset in zip(shards, offsets, strict=True)]
        ),
        mask_class=np.concatenate([shard.mask_class for shard in shards]),
        # Clips that were not mixed here may differ in length, and have no masks.
        mask_bits=np.concatenate(
            [shard.mask_bits for shard in shards if len(shard.mask_bits)] or [shards[0].mask_bits]
        ),
        classes=shards[0].classes,
        settings=shards[0].settings,
    )
