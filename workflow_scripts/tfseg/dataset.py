"""Reading stored features into memory, for training and inference (imports little on purpose)."""

from dataclasses import dataclass

import numpy as np

from tfseg.errors import DamagedFileError
from tfseg.files import read_description, reading_hdf5


@dataclass(frozen=True)
class FeatureSet:
    """Features of some folds.

    Attributes
    ----------
    logmel : np.ndarray [shape=(n, n_frames, n_mels), dtype=float16]
    target : np.ndarray [shape=(n, n_classes), dtype=uint8]
    mixture : list of str
    mask_mixture, mask_class : np.ndarray [shape=(m,), dtype=int64]
        Which mixture (row of `logmel`) and class each row of `mask_bits` belongs to.
    mask_bits : np.ndarray [shape=(m, n_bytes), dtype=uint8]
        Ideal binary masks, packed.
    classes : tuple of str
    settings : dict
        The T-F representation (fields of `tfseg.features.FeatureSettings`) as stored.
    """

    logmel: np.ndarray
    target: np.ndarray
    mixture: list
    mask_mixture: np.ndarray
    mask_class: np.ndarray
    mask_bits: np.ndarray
    classes: tuple
    settings: dict

    def ideal_masks(self, rows):
        """Unpack ideal masks [shape=(len(rows), n_frames, n_mels), dtype=bool]."""
        n_frames, n_mels = self.logmel.shape[1:]
        bits = np.unpackbits(self.mask_bits[rows], axis=1, count=n_frames * n_mels)
        return bits.reshape(-1, n_frames, n_mels).astype(bool)


def load_features(paths):
    """Load and join feature files (shards of one or more folds, of one SNR).

    Raises
    ------
    DamagedFileError
        When a file is damaged, or the files disagree on classes or settings.
    """
    parts = []
    for path in paths:
        with reading_hdf5(path) as file:
            description = read_description(file)
            part = FeatureSet(
                logmel=file["logmel"][:],
                target=file["target"][:],
                mixture=[name.decode() for name in file["mixture"][:]],
                mask_mixture=file["mask_mixture"][:],
                mask_class=file["mask_class"][:],
                mask_bits=file["mask_bits"][:],
                classes=tuple(description["classes"]),
                settings=description["settings"],
            )
        if parts and (part.classes, part.settings) != (parts[0].classes, parts[0].settings):
            raise DamagedFileError(
                f"{path}: its classes or feature settings differ from those of {paths[0]}"
            )
        parts.append(part)
    offsets = np.cumsum([0] + [len(part.mixture) for part in parts[:-1]])
    return FeatureSet(
        logmel=np.concatenate([part.logmel for part in parts]),
        target=np.concatenate([part.target for part in parts]),
        mixture=[name for part in parts for name in part.mixture],
        mask_mixture=np.concatenate(
            [part.mask_mixture + offset for part, offset in zip(parts, offsets, strict=True)]
        ),
        mask_class=np.concatenate([part.mask_class for part in parts]),
        mask_bits=np.concatenate([part.mask_bits for part in parts]),
        classes=parts[0].classes,
        settings=parts[0].settings,
    )
