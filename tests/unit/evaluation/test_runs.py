"""Results of a system's folds enter `Samples` fold by fold, in any order."""

import numpy as np

from tfseg.evaluation import runs


class _Samples:
    def __init__(self):
        self.added = []

    def add(self, kind, clips, measures, **keys):
        self.added.append((kind, clips, measures, keys))


def test_folds_of_separation_come_in_order_and_systems_as_asked(monkeypatch):
    read = []
    monkeypatch.setattr(runs, "read_scores", lambda path: read.append(path) or path)
    monkeypatch.setattr(
        runs, "separation_measures", lambda folds, _: (list(folds), {"b": 2, "a": 1, "irm": 0})
    )
    samples = _Samples()
    runs.add_separated(samples, {2: "two", 1: "one"}, ["a", "dnn", "b"], [], snr_db=5.0, seed=0)
    assert read == ["one", "two"]
    assert samples.added == [
        ("separated", [1, 2], measure, {"system": system, "snr_db": 5.0, "seed": 0})
        for system, measure in (("a", 1), ("b", 2))
    ]
    assert np.all([clips == [1, 2] for _, clips, _, _ in samples.added])
