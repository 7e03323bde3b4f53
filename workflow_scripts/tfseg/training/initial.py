"""What a training starts from: first weights, standardisation and weak labels."""

import numpy as np
import torch

from tfseg.job.seeding import derive_seed


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
