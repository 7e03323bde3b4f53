from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tfseg.evaluation.records import MetricSettings
from tfseg.evaluation.scoring import FoldScores, score_system
from tfseg.evaluation.tuned import count_tuned, score_tuned, tuned_rows
from tfseg.inference.events import EventSettings
from tfseg.inference.histogram import ScoreHistogram
from tfseg.inference.operating_point import DetectionSettings

CLASSES = ("Bark", "Chime", "Gong", "Meow")  # Meow has no reference anywhere
SETTINGS = MetricSettings(0.1, 0.1, 0.1, True, 0.2, 0.5, "class_wise")
FIXED = DetectionSettings(0.1, True, 0.1, 0.1, EventSettings(0.2, 0.1, 10, 10))
NAMES = {"snr_db": 0, "system": "gwrp", "seed": 0}


def _fold(seed, n=30, n_frames=20):
    """Scores of a system that is right more often than not."""
    rng = np.random.default_rng(seed)
    target = rng.random((n, 4)) < [0.5, 0.3, 0.2, 0]
    target[0] = [True, True, True, False]
    names = [f"fold{seed}-{i}" for i in range(n)]
    strong = (rng.random((n, n_frames, 4)) < 0.4) & target[:, None]
    reference, estimated = {}, {}
    for name, row in zip(names, target, strict=True):
        reference[name] = [(CLASSES[k], 0.1, 0.4) for k in np.flatnonzero(row)]
        estimated[name] = [event for event in reference[name] if rng.random() < 0.6]
        estimated[name] += [(CLASSES[rng.integers(4)], 0.9, 1.2)] * int(rng.integers(0, 2))
    frames = np.clip(0.3 * strong + rng.normal(0.05, 0.1, strong.shape), 0, 1).astype(np.float16)
    ideal = (rng.random((50, 4)) < 0.2) & (np.arange(4) < 3)
    masks = np.clip(0.4 * ideal + rng.random((50, 4)) / 4, 0, 1).astype(np.float16)
    above = masks > np.float16(0.1)
    return FoldScores(
        mixtures=names,
        tags=np.clip(0.3 * target + rng.normal(0.1, 0.15, (n, 4)), 0, 1).astype(np.float32),
        target=target,
        frames=frames,
        strong=strong,
        reference=reference,
        estimated=estimated,
        masks=ScoreHistogram.of(masks, ideal),
        mask_predicted=above.sum(axis=0),
        mask_hit=(above & ideal).sum(axis=0),
    )


def _folds():
    return {1: _fold(1), 2: _fold(2)}


def test_at_the_fixed_thresholds_tuned_scores_are_the_published_ones():
    folds = _folds()
    published = score_system(folds, CLASSES, SETTINGS, **NAMES)
    tuned = score_tuned(folds, dict.fromkeys(folds, FIXED), CLASSES, SETTINGS, **NAMES)
    assert set(tuned["variant"]) == {"tuned"}
    assert set(tuned["task"]) == {"tagging", "frame", "event", "mask"}
    assert set(tuned["fold"]) == {"1", "2", "all", "pooled"}
    keys = ["task", "metric", "class", "fold", "snr_db", "system", "seed"]
    published = published[published["variant"] == "published"].drop(columns="variant")
    both = tuned.merge(published, on=keys, how="left", validate="one_to_one")
    np.testing.assert_array_equal(both["value_x"], both["value_y"])
    np.testing.assert_array_equal(both["n_x"], both["n_y"])


@pytest.mark.parametrize("gate", [True, False])
def test_each_class_is_counted_at_its_own_thresholds(gate):
    fold, settings = _folds()[1], replace(SETTINGS, tag_gate=gate)
    thresholds = (0.05, 0.15, 0.3, 0.4)
    detection = replace(
        FIXED, tag_threshold=thresholds, frame_threshold=thresholds[::-1], mask_threshold=thresholds
    )
    found = count_tuned(fold, detection, settings).units
    for k, threshold in enumerate(thresholds):
        alone = replace(
            FIXED,
            tag_threshold=threshold,
            frame_threshold=thresholds[3 - k],
            mask_threshold=threshold,
        )
        for task, counts in count_tuned(fold, alone, settings).units.items():
            np.testing.assert_array_equal(found[task][:, k], counts[:, k])
    above = np.stack([clip[:, 2] for clip in fold.frames]) > np.float16(0.15)
    if gate:
        above &= (fold.tags[:, 2] > np.float32(0.3))[:, None]
    assert found["frame"][0, 2] == above.sum()


def test_folds_are_pooled_at_their_own_thresholds():
    folds = _folds()
    detections = {1: replace(FIXED, tag_threshold=0.3), 2: FIXED}
    counts = [count_tuned(fold, detections[name], SETTINGS) for name, fold in folds.items()]
    pooled = counts[0] + counts[1]
    for task, units in pooled.units.items():
        np.testing.assert_array_equal(units, counts[0].units[task] + counts[1].units[task])
    tuned = score_tuned(folds, detections, CLASSES, SETTINGS, **NAMES)
    of_pooled = tuned[(tuned["fold"] == "pooled") & (tuned["task"] == "tagging")]
    expected = pd.DataFrame(
        tuned_rows(pooled, CLASSES), columns=["task", "metric", "class", "variant", "value", "n"]
    )
    expected = expected[expected["task"] == "tagging"]
    np.testing.assert_array_equal(of_pooled["value"], expected["value"])


def test_without_times_and_masks_only_tags_are_scored():
    folds = {
        name: replace(fold, reference={}, masks=None, mask_predicted=None, mask_hit=None)
        for name, fold in _folds().items()
    }
    tuned = score_tuned(folds, dict.fromkeys(folds, FIXED), CLASSES, SETTINGS, **NAMES)
    assert set(tuned["task"]) == {"tagging"}
    assert set(tuned["metric"]) == {"f1", "precision", "recall"}
