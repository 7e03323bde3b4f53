"""All metrics of a system: the same for folds in any order, with an onset prior if possible."""

import pandas as pd
import pytest
from scored_fold import CLASSES, GRID, SETTINGS, make_fold

from tfseg.evaluation import system_metrics
from tfseg.evaluation.fold_files import FoldFiles
from tfseg.inference.events import EventSettings


@pytest.fixture
def compute(monkeypatch):
    """Return a function that computes the metrics of two folds made up."""
    folds = {fold: make_fold(fold, prefix=f"fold{fold}-")[0] for fold in (1, 2)}
    labels = {name: events for fold in folds.values() for name, events in fold.reference.items()}
    rows = [(name, fold, "train", 0.3) for fold, made in folds.items() for name in made.mixtures]
    mixtures = pd.DataFrame(rows, columns=["mixture", "fold", "part", "duration_s"])
    monkeypatch.setattr(system_metrics, "read_events", lambda path: None)
    monkeypatch.setattr(
        system_metrics,
        "read_fold_scores",
        lambda scores, counts, estimated, labels, grid: (folds[int(scores)], CLASSES),
    )

    def make(order, **changes):
        events = EventSettings(0.5, 0.2, join_gap_frames=0, drop_frames=0)
        return system_metrics.system_metrics(
            {fold: FoldFiles(str(fold), "", "") for fold in order},
            mixtures,
            labels,
            grid=GRID,
            settings=SETTINGS,
            events=events,
            **{"planned": True, "processes": 1} | changes,
            snr_db=0.0,
            system="gwrp",
            seed=0,
        )

    return make


def test_the_order_of_folds_says_nothing(compute):
    assert compute([2, 1]).equals(compute([1, 2]))


def test_only_a_plan_has_an_onset_prior(compute):
    planned, ready = compute([1, 2]), compute([1, 2], planned=False)
    assert set(planned["variant"]) - set(ready["variant"])
    rest = planned[planned["variant"].isin(ready["variant"])]
    assert rest.reset_index(drop=True).equals(ready.reset_index(drop=True))
