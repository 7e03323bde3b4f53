"""Counts, minutes and rates over recordings, by hand."""

import pandas as pd

from tfseg.apply.detected_events import FoundEvent
from tfseg.apply.results import Analysis
from tfseg.apply.summary import ALL, Summary


def event(label, onset_s, offset_s):
    return FoundEvent(onset_s, offset_s, label, 0.5, 0.0, 1.0)


ANALYSES = [
    Analysis("b", "x/b.wav", 1800.0, [event("dog", 0, 30), event("dog", 60, 90)]),
    Analysis("a", "x/a.wav", 5400.0, [event("dog", 0, 60), event("cat", 5, 11)]),
    Analysis("c", "x/c.wav", 0.5, []),
]


def summary(analyses, classes, failures=()):
    summary = Summary(classes, dict(failures))
    for analysis in analyses:
        summary.add(analysis)
    return summary


def test_minutes_and_counts_per_hour():
    table = summary(ANALYSES[:2], ["cat", "cow", "dog"]).by_class()
    rows = {
        (r.recording, r.label): (r.events, r.minutes, r.events_per_hour) for r in table.itertuples()
    }
    assert rows == {
        (ALL, "cat"): (1, 0.1, 0.5),
        (ALL, "cow"): (0, 0.0, 0.0),
        (ALL, "dog"): (3, 2.0, 1.5),
        ("a", "cat"): (1, 0.1, round(1 / 1.5, 3)),
        ("a", "dog"): (1, 1.0, round(1 / 1.5, 3)),
        ("b", "dog"): (2, 1.0, 4.0),
    }


def test_nothing_analysed_gives_zeros():
    table = summary([], ["cat"]).by_class()
    assert table.to_numpy().tolist() == [[ALL, "cat", 0, 0.0, 0]]


def test_failures_stand_among_the_recordings():
    failures = {("bad", "x/bad.wav"): "why"}
    table = summary(ANALYSES, ["cat", "dog"], failures).recordings()
    assert list(table["recording"]) == ["a", "b", "bad", "c"]
    bad = table.set_index("recording").loc["bad"]
    assert bad["status"] == "failed" and bad["reason"] == "why" and pd.isna(bad["events"])
    assert table.set_index("recording").loc["b", "events"] == 2
