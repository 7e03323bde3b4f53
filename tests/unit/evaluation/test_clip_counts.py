import dataclasses

import numpy as np
import pandas as pd
import pytest
from scored_fold import CLASSES, SETTINGS, make_fold

from tfseg.evaluation.clip_counts import clip_measures, read_clip_masks, separation_measures
from tfseg.evaluation.intersection import intersection_f1_metrics
from tfseg.evaluation.scoring import score_system
from tfseg.evaluation.separation_rows import MEASURES, separation_rows
from tfseg.inference.histogram import ClipMaskCounts

KEYS = {"snr_db": 10.0, "system": "gwrp", "seed": 0}


def _with_masks(seed, n, prefix):
    """A fold, and its T-F units dealt to its clips."""
    fold, masks, ideal = make_fold(seed, n=n, prefix=prefix)
    above = masks > np.float32(0.1)
    clip = np.arange(len(masks)) % n
    counts = [
        np.array([units[clip == i].sum(axis=0) for i in range(n)], dtype=np.int32)
        for units in (ideal, above, above & ideal)
    ]
    return fold, ClipMaskCounts(counts[0], {"published": counts[1]}, {"published": counts[2]})


@pytest.fixture
def both():
    return {1: _with_masks(1, 20, "a"), 2: _with_masks(2, 35, "b")}


@pytest.fixture
def folds(both):
    return {name: fold for name, (fold, _) in both.items()}


@pytest.fixture
def masks(both):
    return {name: counts for name, (_, counts) in both.items()}


@pytest.mark.parametrize("gate", [True, False])
def test_all_clips_together_score_as_the_pooled_folds(folds, masks, gate):
    settings = dataclasses.replace(SETTINGS, tag_gate=gate)
    measures = clip_measures(folds, CLASSES, dict.fromkeys(folds, settings), masks=masks)
    metrics = pd.concat(
        [
            score_system(folds, CLASSES, settings, **KEYS),
            intersection_f1_metrics(folds, CLASSES, **KEYS),
        ]
    )
    pooled = metrics[(metrics["fold"] == "pooled") & (metrics["class"] == "macro")]
    expected = pooled.set_index(["task", "metric", "variant"])["value"]
    assert [key[:2] for key in measures] == [
        ("tagging", "f1"),
        ("tagging", "map"),
        ("frame", "f1"),
        ("event", "f1"),
        ("event", "intersection_f1"),
        ("mask", "f1"),
    ]
    for key, measure in measures.items():
        (found,) = measure.macro(np.ones((1, 55), dtype=np.int32))
        assert found == pytest.approx(expected[key], abs=1e-12), key


def test_a_resample_is_scored_as_its_clips_would_be(folds):
    fold = folds[1]
    drawn = [0, 0, 3, 5, 5, 5, 8, 11, 12, 19]
    weights = np.bincount(drawn, minlength=20)[None].astype(np.int32)
    names = [f"{i}-{fold.mixtures[i]}" for i in range(len(drawn))]
    again = dataclasses.replace(
        fold,
        mixtures=names,
        tags=fold.tags[drawn],
        target=fold.target[drawn],
        frames=fold.frames[drawn],
        strong=fold.strong[drawn],
        reference={n: fold.reference[fold.mixtures[i]] for n, i in zip(names, drawn, strict=True)},
        estimated={n: fold.estimated[fold.mixtures[i]] for n, i in zip(names, drawn, strict=True)},
        masks=None,
    )
    expected = clip_measures({1: again}, CLASSES, {1: SETTINGS})
    for key, measure in clip_measures({1: fold}, CLASSES, {1: SETTINGS}).items():
        (found,) = measure.macro(weights)
        (value,) = expected[key].macro(np.ones((1, len(drawn)), dtype=np.int32))
        assert found == pytest.approx(value, abs=1e-12), key


def test_another_set_of_thresholds_may_be_one_for_each_class(folds, masks):
    thresholds = np.array([0.1, 0.3, 0.2, 0.5])
    tuned = dataclasses.replace(SETTINGS, tag_threshold=thresholds, frame_threshold=thresholds)
    of_both = {
        name: dataclasses.replace(
            counts,
            predicted=counts.predicted | {"tuned": counts.positive},
            hit=counts.hit | {"tuned": counts.positive},
        )
        for name, counts in masks.items()
    }
    measures = clip_measures(
        folds, CLASSES, dict.fromkeys(folds, tuned), masks=of_both, variant="tuned"
    )
    assert {key[2] for key in measures} == {"tuned"}
    assert ("tagging", "map", "tuned") not in measures
    tags = np.concatenate([fold.tags for fold in folds.values()])
    np.testing.assert_array_equal(
        measures["tagging", "f1", "tuned"].predicted, tags > thresholds.astype(np.float32)
    )
    (perfect,) = measures["mask", "f1", "tuned"].macro(np.ones((1, 55), dtype=np.int32))
    assert perfect == 1


def test_clips_of_unknown_times_count_for_tags_alone(folds):
    fold = folds[1]
    known = dict(list(fold.reference.items())[:12])
    partly = dataclasses.replace(fold, reference=known)
    measures = clip_measures({1: partly}, CLASSES, {1: SETTINGS})
    for task in ("frame", "event"):
        counts = measures[task, "f1", "published"]
        for part in (counts.predicted, counts.reference, counts.hit):
            assert part.shape == (20, 4)
            assert not part[12:].any()
    bare = dataclasses.replace(fold, reference={})
    assert {key[0] for key in clip_measures({1: bare}, CLASSES, {1: SETTINGS})} == {"tagging"}


def test_separation_is_that_of_the_mixtures(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for fold in (1, 2):
        for i in range(6):
            for label in ("dog", "siren")[: 1 + i % 2]:
                for system in ("no_separation", "gwrp"):
                    values = rng.normal(-5 if system == "no_separation" else 5, 1, 5)
                    rows.append((f"m{fold}{i}", label, system, "whole", *values, 1, int(i > 1)))
    rows.append(("m10", "siren", "gwrp", "whole", *[np.nan] * 5, 0, 1))
    columns = ["mixture", "class", "system", "span", *MEASURES, "sounding", "predicted"]
    table = pd.DataFrame(rows, columns=columns)
    table.loc[5, "si_sdr"] = -np.inf  # an estimate without sound
    parts = {fold: table[table["mixture"].str.startswith(f"m{fold}")] for fold in (1, 2)}
    clips, measures = separation_measures(parts, ["dog", "siren"])
    assert clips.names[:2] == ("m10", "m11")
    assert clips.folds == (1,) * 6 + (2,) * 6
    # Of both folds' mixtures as one set.
    together = pd.DataFrame(
        separation_rows(table, ["dog", "siren"]),
        columns=["system", "metric", "class", "variant", "value", "n"],
    ).set_index(["system", "metric", "class", "variant"])["value"]
    for (_, metric, variant), measure in measures["gwrp"].items():
        (found,) = measure.macro(np.ones((1, 12), dtype=np.int32))
        assert found == pytest.approx(together["gwrp", metric, "macro", variant])


def test_a_system_without_masks_has_no_units(tmp_path):
    from tfseg.io.files import writing_hdf5

    with writing_hdf5(tmp_path / "c.h5") as file:
        file.attrs["has_counts"] = False
    assert read_clip_masks(tmp_path / "c.h5") is None
