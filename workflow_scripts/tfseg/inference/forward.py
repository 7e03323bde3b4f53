"""Inference with a trained system: tags, frame scores, and counts of mask values."""

import itertools

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tfseg.errors import DamagedFileError
from tfseg.features.feature_set import write_ragged
from tfseg.inference.histogram import N_PATTERNS, ClipMaskCounts, ScoreHistogram
from tfseg.io.files import (
    content_sha256,
    create_dataset,
    create_description,
    read_json,
    write_json,
    writing_hdf5,
)
from tfseg.io.tensors import load_tensors, save_tensors
from tfseg.models.systems import network_of

MODEL_FORMAT = 2
_BATCH_FRAMES = 512
# Keys needed to build a network.
_NEEDED = ("system", "network", "classes", "features", "trunk", "pooling", "baselines")


def save_model(model_path, description_path, network, description):
    """Write weights (safetensors) and the description that makes them usable alone (JSON).

    Parameters
    ----------
    model_path, description_path : path-like
    network : MaskNetwork
    description : dict
        At least ``system, network, classes, features, trunk, pooling, baselines``; `network` is the
        registered system that is built, `system` its name in the experiment. The digest of the
        weights is added, so that a description beside another model's weights is noticed.
    """
    save_tensors(model_path, network.state_dict())
    facts = {"format": MODEL_FORMAT, "weights_sha256": content_sha256(model_path)}
    write_json(description_path, description | facts)


def _read_model_description(path):
    """Read a ``model.json``; raise an error for another format or a missing key."""
    description = read_json(path)
    found = description.get("format") if isinstance(description, dict) else None
    if found != MODEL_FORMAT:
        raise DamagedFileError(f"{path}: expected model format {MODEL_FORMAT}, found {found!r}")
    missing = [key for key in (*_NEEDED, "weights_sha256") if key not in description]
    if missing:
        raise DamagedFileError(
            f"{path}: expected the description of a model, found none of: {', '.join(missing)}"
        )
    return description


def _network_of(description, path):
    """Build the untrained network that a description names."""
    try:
        return network_of(description)
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedFileError(
            f"{path}: expected the description of a system of this version of tfseg, found one "
            f"that it cannot build ({type(error).__name__}: {error})"
        ) from error


def load_model(model_path, description_path, device="cpu"):
    """Load a trained system.

    Returns
    -------
    network : MaskNetwork
        In evaluation mode, on `device`.
    description : dict
    """
    description = _read_model_description(description_path)
    network = _network_of(description, description_path)
    tensors, _ = load_tensors(model_path)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise DamagedFileError(f"{model_path}: does not fit {description_path}: {error}") from None
    found = content_sha256(model_path)
    if found != description["weights_sha256"]:
        raise DamagedFileError(
            f"{model_path}: does not fit {description_path}, which describes weights with the "
            f"digest {description['weights_sha256']}; found {found}. Copy both from one folder."
        )
    return network.to(device).eval(), description


def load_networks(models):
    """Load several trained systems on the CPU.

    Parameters
    ----------
    models : dict of str to dict
        Paths ``model`` and ``description`` of each system.

    Returns
    -------
    networks : dict of str to MaskNetwork or FrameNetwork
    """
    return {
        system: load_model(files["model"], files["description"])[0]
        for system, files in models.items()
    }


def prepare_for_inference(network, precision):
    """Make a loaded network faster; its outputs stay the same up to rounding.

    Batch normalisation after a convolution is merged into the convolution's weights.

    Parameters
    ----------
    network : MaskNetwork or FrameNetwork
        In evaluation mode; changed in place.
    precision : {"float32", "bfloat16"}
    """
    network.precision = precision
    for module in list(network.modules()):
        if not isinstance(module, nn.Sequential):
            continue
        for index, (layer, following) in enumerate(itertools.pairwise(list(module))):
            if isinstance(layer, nn.Conv2d) and isinstance(following, nn.BatchNorm2d):
                module[index] = fuse_conv_bn_eval(layer, following)
                module[index + 1] = nn.Identity()
    network.to(memory_format=torch.channels_last)


def load_prepared(model_path, description_path, precision, device):
    """`load_model`, and `prepare_for_inference` of what it loads."""
    network, description = load_model(model_path, description_path, device)
    prepare_for_inference(network, precision)
    return network, description


def count_on_host(bins, n_bins, kept=None):
    """Count how often each bin occurs, by torch's fast counting on the CPU.

    Parameters
    ----------
    bins : torch.Tensor [of any shape, dtype=int32, in 0..n_bins - 1]
    n_bins : int
    kept : torch.Tensor [same shape, dtype=bool] or None
        Only these are counted.

    Returns
    -------
    counts : torch.Tensor [shape=(n_bins,)]
    """
    bins = bins.flatten() if kept is None else bins[kept]
    return torch.bincount(bins, minlength=n_bins)


def count_on_device(bins, n_bins, kept=None):
    """Count as `count_on_host`, without a wait for the GPU.

    ``torch.bincount`` and a selection by a mask read a size back to the host, so the host waits.
    Here all sizes are known beforehand. Integers are added, so that their order has no effect.
    """
    bins = bins.flatten().long()
    if kept is None:
        weights = torch.ones(1, dtype=torch.int32, device=bins.device).expand(len(bins))
    else:
        weights = kept.flatten().to(torch.int32)
    counts = torch.zeros(n_bins, dtype=torch.int32, device=bins.device)
    return counts.scatter_add_(0, bins, weights)


class MaskCounter:
    """Count mask values against ideal binary masks, batch by batch, on the device.

    No mask is kept, only counts: three numbers for each clip and class. F1 counts compare the raw
    values with the thresholds; AUC and AP come from exact counts per float16 bit pattern. All
    counts stay on the device until they are asked for.

    Parameters
    ----------
    n_classes : int
    thresholds : dict of str to float or array-like [shape=(n_classes,)]
        Sets of thresholds by name, each one number for all classes or one per class.
    device : str
    """

    def __init__(self, n_classes, thresholds, device="cpu"):
        self._thresholds = {
            name: torch.as_tensor(values, dtype=torch.float32, device=device).expand(n_classes)
            for name, values in thresholds.items()
        }
        self._n_classes = n_classes
        self._count_bins = count_on_device if torch.device(device).type == "cuda" else count_on_host
        shape = (n_classes, N_PATTERNS)
        self._total = torch.zeros(shape, dtype=torch.int64, device=device)
        self._positive = torch.zeros(shape, dtype=torch.int64, device=device)
        self._clip_positive = []
        self._clip_predicted = {name: [] for name in thresholds}
        self._clip_hit = {name: [] for name in thresholds}

    def _count(self, masks, classes, units=None):
        """Count by class and bit pattern; `masks` [shape=(..., len(classes), time, mel)]."""
        # 32 bits suffice for 139 000 classes, and take half the memory traffic of 64.
        first_of_class = (classes * N_PATTERNS).to(torch.int32).view(-1, 1, 1)
        bins = masks.half().view(torch.int16) + first_of_class
        return self._count_bins(bins, self._total.numel(), units).view_as(self._total)

    def add(self, masks, ideal_masks, ideal_rows, ideal_classes):
        """Count one batch.

        Parameters
        ----------
        masks : torch.Tensor [shape=(batch, class, time, mel), in [0, 1]]
        ideal_masks : torch.Tensor [shape=(m, time, mel), dtype=bool]
            Of the active classes only; the ideal mask of any other class is zero.
        ideal_rows, ideal_classes : torch.Tensor [shape=(m,), dtype=int64]
            Clip (within the batch) and class of each ideal mask.
        """
        classes = torch.arange(self._n_classes, device=masks.device)
        self._total += self._count(masks, classes)
        sounding = masks[ideal_rows, ideal_classes]  # (m, time, mel)
        self._positive += self._count(sounding, ideal_classes, ideal_masks)

        def by_clip(units):
            """Number of true units of each ideal mask, as clips x classes."""
            counts = torch.zeros(masks.shape[:2], dtype=torch.int32, device=masks.device)
            counts[ideal_rows, ideal_classes] = units.flatten(1).sum(dim=1, dtype=torch.int32)
            return counts

        self._clip_positive.append(by_clip(ideal_masks))
        for name, thresholds in self._thresholds.items():
            above = masks > thresholds.view(-1, 1, 1)
            self._clip_predicted[name].append(above.sum(dim=(2, 3), dtype=torch.int32))
            hit = above[ideal_rows, ideal_classes] & ideal_masks
            self._clip_hit[name].append(by_clip(hit))

    def _joined(self, parts):
        empty = self._total.new_zeros((0, self._n_classes), dtype=torch.int32)
        return torch.cat([empty, *parts]).cpu().numpy()

    def clips(self):
        """Return the counts of each clip so far, in the order of addition.

        Returns
        -------
        counts : ClipMaskCounts
        """
        return ClipMaskCounts(
            self._joined(self._clip_positive),
            {name: self._joined(parts) for name, parts in self._clip_predicted.items()},
            {name: self._joined(parts) for name, parts in self._clip_hit.items()},
        )

    def result(self, name="published"):
        """Return the counts so far, summed over clips.

        Parameters
        ----------
        name : str
            Name of the set of thresholds.

        Returns
        -------
        histogram : ScoreHistogram
        predicted, hit : np.ndarray [shape=(n_classes,), dtype=int64]
            Units above the threshold, and those of them that the ideal mask holds.
        """
        histogram = ScoreHistogram(self._total.cpu().numpy(), self._positive.cpu().numpy())
        clips = self.clips()
        totals = (part[name].sum(axis=0, dtype=np.int64) for part in (clips.predicted, clips.hit))
        return histogram, *totals


def batches(features, batch_size):
    """Split clips into batches of consecutive ones of equal length.

    Returns
    -------
    batches : list of (start, stop)
        Clips ``start .. stop - 1``. A batch has at most `batch_size` clips, and at most as many
        frames as `batch_size` clips of 512 frames, unless it is a single clip.
    """
    found = []
    for index, clip in enumerate(features.logmel):
        size = max(1, min(batch_size, batch_size * _BATCH_FRAMES // len(clip)))
        start, stop = found[-1] if found else (0, 0)
        if found and len(features.logmel[start]) == len(clip) and stop - start < size:
            found[-1] = (start, index + 1)
        else:
            found.append((index, index + 1))
    return found


def _sent(array, device):
    """Send an array to the device; the host does not wait for the work before it."""
    values = torch.from_numpy(array)
    if torch.device(device).type == "cuda":
        return values.pin_memory().to(device, non_blocking=True)
    return values.to(device)


def infer(network, features, *, batch_size, mask_thresholds, device="cpu", progress=None):
    """Score every clip of a feature set.

    Parameters
    ----------
    network : MaskNetwork
        In evaluation mode, on `device`.
    features : tfseg.features.feature_set.FeatureSet
    batch_size : int
    mask_thresholds : dict or None
        As `MaskCounter` takes them. None, for clips without ideal masks, counts no masks. A system
        without masks counts none either.
    device : str
    progress : callable or None
        Wraps the iterable of batches.

    Returns
    -------
    tags : np.ndarray [shape=(n, n_classes), dtype=float32]
    frames : list of np.ndarray [shape=(n_frames, n_classes), dtype=float16]
        One for each clip: mean of the mask over mel bands (TASLP eq. 2), or the frame scores of a
        system without masks.
    counter : MaskCounter or None
    """
    counter = None
    if network.has_masks and mask_thresholds is not None:
        counter = MaskCounter(len(features.classes), mask_thresholds, device)
    tags, frames = [], []
    parts = batches(features, batch_size)
    with torch.inference_mode():
        for start, stop in progress(parts) if progress else parts:
            inputs = _sent(np.stack(features.logmel[start:stop]), device).float()
            batch_tags, masks = network(inputs)
            tags.append(batch_tags)
            batch_frames = masks.mean(dim=3) if network.has_masks else masks
            frames.append(batch_frames.transpose(1, 2).half())
            if counter is None:
                continue
            rows = np.flatnonzero((features.mask_mixture >= start) & (features.mask_mixture < stop))
            counter.add(
                masks,
                _sent(features.ideal_masks(rows), device),
                _sent(features.mask_mixture[rows] - start, device),
                _sent(features.mask_class[rows], device),
            )
    # Copied once all is under way, so that no batch waits for the one before it.
    frames = [clip for batch in frames for clip in batch.cpu().numpy()]
    return torch.cat(tags).cpu().numpy(), frames, counter


def write_scores(scores_path, counts_path, features, tags, frames, counter):
    """Write ``scores.h5`` and ``mask_counts.h5``; the latter notes where there are no counts."""
    with writing_hdf5(scores_path) as file:
        create_dataset(file, "tags", data=tags)
        write_ragged(file, "frames", frames)
        create_dataset(file, "target", data=features.target)
        create_dataset(file, "mixture", data=np.array(features.mixture, dtype="S"))
        create_description(file, {"classes": list(features.classes), "settings": features.settings})
        file.attrs["classes"] = list(features.classes)
    if counter is None:
        with writing_hdf5(counts_path) as file:
            file.attrs["has_counts"] = False
        return
    histogram, predicted, hit = counter.result()
    with writing_hdf5(counts_path) as file:
        create_dataset(file, "total", data=histogram.total)
        create_dataset(file, "positive", data=histogram.positive)
        create_dataset(file, "predicted", data=predicted)
        create_dataset(file, "hit", data=hit)
        counter.clips().write(file)
        file.attrs["has_counts"] = True
        file.attrs["classes"] = list(features.classes)
