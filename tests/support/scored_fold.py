"""Made-up scores of a fold, for a system that is mostly right."""

import numpy as np

from tfseg.evaluation.records import MetricSettings
from tfseg.evaluation.scoring import FoldScores
from tfseg.features.time_grid import TimeGrid
from tfseg.inference.histogram import ScoreHistogram

CLASSES = ("Bark", "Chime", "Gong", "Meow")  # Meow has no reference anywhere
GRID = TimeGrid(sample_rate=8000, window_length=256, hop_length=128)
SETTINGS = MetricSettings(
    tag_threshold=0.1,
    frame_threshold=0.1,
    mask_threshold=0.1,
    tag_gate=True,
    collar_s=0.2,
    offset_fraction=0.5,
    error_rate="class_wise",
)


def make_fold(seed, n=30, n_frames=20, prefix="m"):
    """Scores of a system that is mostly right; Meow has no events."""
    rng = np.random.default_rng(seed)
    target = rng.random((n, 4)) < [0.5, 0.3, 0.2, 0]
    target[0] = [True, True, True, False]
    mixtures = [f"{prefix}{i}" for i in range(n)]
    reference, estimated = {}, {}
    for name, row in zip(mixtures, target, strict=True):
        reference[name], estimated[name] = [], []
        for k in np.flatnonzero(row):
            onset = round(rng.uniform(0, 0.2), 3)
            reference[name].append((CLASSES[k], onset, onset + 0.1))
            if rng.random() < 0.6:
                estimated[name].append((CLASSES[k], onset + rng.normal(0, 0.1), onset + 0.12))
        if rng.random() < 0.3:
            estimated[name].append((CLASSES[rng.integers(4)], 0.05, 0.2))
    strong = np.stack([GRID.strong_labels(reference[m], CLASSES, n_frames) for m in mixtures])
    tags = np.clip(0.3 * target + rng.normal(0.1, 0.15, (n, 4)), 0, 1).astype(np.float32)
    frames = np.clip(0.3 * strong + rng.normal(0.05, 0.1, strong.shape), 0, 1).astype(np.float16)
    frames[0, :4] = np.float16(0.1)  # not above the threshold
    tags[1] = np.float32(0.1)
    ideal = (rng.random((50, 4)) < 0.2) & (np.arange(4) < 3)
    masks = np.clip(0.4 * ideal + rng.random((50, 4)) / 4, 0, 1).astype(np.float32)
    above = masks > np.float32(0.1)
    fold = FoldScores(
        mixtures=mixtures,
        tags=tags,
        target=target,
        frames=frames,
        strong=strong,
        reference=reference,
        estimated=estimated,
        masks=ScoreHistogram.of(masks.astype(np.float16), ideal),
        mask_predicted=above.sum(axis=0),
        mask_hit=(above & ideal).sum(axis=0),
    )
    return fold, masks, ideal
