"""Errors of onsets and offsets have known answers."""

import borders
import pandas as pd
import pytest


@pytest.fixture
def results(tmp_path):
    (tmp_path / "mixtures").mkdir()
    pd.DataFrame(
        [
            ("fold1-0", "Bark", 1.0, 2.0),
            ("fold1-1", "Gong", 3.0, 4.0),
            ("fold2-0", "Bark", 1.0, 2.0),
        ],
        columns=["mixture", "label", "onset_s", "offset_s"],
    ).to_csv(tmp_path / "mixtures/events.csv", index=False)
    folder = tmp_path / "events/snr0/gwrp/fold1"
    folder.mkdir(parents=True)
    columns = ["filename", "onset", "offset", "event_label"]
    for seed, early_s in ((0, 0.1), (1, 0.5)):
        pd.DataFrame(
            [
                ("fold1-0", 1.0 - early_s, 2.3, "Bark"),
                ("fold1-0", 2.5, 3.0, "Bark"),  # overlaps nothing
                ("fold1-1", 3.0, 4.0, "Bark"),  # of another class
            ],
            columns=columns,
        ).to_csv(folder / f"seed{seed}.tsv", sep="\t", index=False)
    return tmp_path


def test_pairs_are_those_of_a_class_that_overlap(results):
    (row,) = borders.rows(results, ["gwrp"])
    assert row["SNR"] == "0" and row["system"] == "gwrp"
    assert row["true events"] == 4 and row["overlapping pairs"] == 2
    assert row["median onset error"] == pytest.approx(-0.3)
    assert row["median offset error"] == pytest.approx(0.3)
    assert row["onsets within 0.2 s"] == 0.5


def test_a_run_without_events_is_said(results):
    with pytest.raises(SystemExit, match="expected detected events"):
        borders.rows(results, events="events_tuned")
