"""Runs are added in the order of the config, whatever the order of their files."""

import math

from tfseg.evaluation import runs


def test_runs_come_snr_by_snr_then_system_by_system(monkeypatch):
    calls = []

    def note(samples, files, *rest, grid=None, settings=None, **keys):
        calls.append((files, keys))

    monkeypatch.setattr(runs, "add_scored", note)
    monkeypatch.setattr(runs, "add_separated", note)
    names = [
        (snr, s, seed, fold) for fold in (2, 1) for seed in (1, 0) for s in "ba" for snr in "50"
    ]
    scored = {key: "/".join(map(str, key)) for key in names}
    separated = {(snr, seed, 1): f"{snr}/{seed}" for seed in (1, 0) for snr in "50"}
    settings = {"systems": ["b", "a"], "seeds": [0, 1], "classes": [], "grid": None}
    runs.add_runs([], scored, separated, {}, snrs=["0", "5"], settings=None, **settings)
    expected = [
        (
            {fold: f"{snr}/{system}/{seed}/{fold}" for fold in (1, 2)},
            {"snr_db": float(snr), "system": system, "seed": seed},
        )
        for snr in "05"
        for system in "ba"
        for seed in (0, 1)
    ] + [
        ({1: f"{snr}/{seed}"}, {"snr_db": float(snr), "seed": seed})
        for snr in "05"
        for seed in (0, 1)
    ]
    assert calls == expected


def test_clips_that_are_used_as_recorded_have_no_snr_and_are_not_separated(monkeypatch):
    calls = []
    monkeypatch.setattr(runs, "add_scored", lambda *args, **keys: calls.append(keys["snr_db"]))
    settings = {"systems": ["a"], "seeds": [0], "classes": [], "grid": None, "settings": None}
    runs.add_runs([], {("none", "a", 0, 1): "x"}, {}, {}, snrs=["none"], **settings)
    assert len(calls) == 1 and math.isnan(calls[0])
