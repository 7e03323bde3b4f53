"""Events and metrics, of systems and of separated sounds."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from script_stubs import (
    CLASSES,
    FOLDS,
    SNR_DB,
    SYSTEM,
    compare,
    score,
    stub,
)

import collect_metrics
from tfseg.errors import TableError
from tfseg.evaluation import system_metrics


def test_detected_events_name_every_clip(plan, events):
    mixtures = pd.read_csv(plan["mixtures"])
    for fold in FOLDS:
        clips = set(pd.read_csv(events[fold], sep="\t")["filename"])
        assert clips == set(mixtures.loc[mixtures["fold"] == fold, "mixture"])


def test_metrics_are_complete_and_within_range(metrics):
    frame = pd.read_csv(metrics)
    assert list(frame.columns) == [
        "task", "metric", "class", "snr_db", "system", "fold", "seed", "variant", "value", "n",
    ]  # fmt: skip
    assert set(frame["task"]) == {"tagging", "frame", "event", "mask"}
    assert set(frame["fold"]) == {"1", "2", "all", "pooled"}
    assert set(frame["class"]) == {*CLASSES, "macro"}
    bounded = frame[frame["metric"].isin(["f1", "auc", "map", "precision", "recall"])]
    assert bounded["value"].dropna().between(0, 1).all()
    key = ["task", "metric", "class", "snr_db", "system", "fold", "seed", "variant"]
    assert not frame.duplicated(key).any()


def test_separated_sounds_are_written_with_their_references(separation):
    paths, _ = separation
    for fold in FOLDS:
        (folder,) = Path(paths[fold].examples).iterdir()
        waveforms = {path.stem: soundfile.read(path)[0] for path in folder.iterdir()}
        labels = {name.split("-reference")[0] for name in waveforms if name.endswith("-reference")}
        assert labels <= set(CLASSES)
        for label in labels:
            assert {f"{label}-{row}" for row in ("ibm", "irm", SYSTEM)} <= set(waveforms)
            ideal, reference = waveforms[f"{label}-irm"], waveforms[f"{label}-reference"]
            error = np.sum((ideal - reference) ** 2) / np.sum(reference**2)
            assert error < 0.5
        assert len({len(samples) for samples in waveforms.values()}) == 1


def test_the_ideal_mask_separates_best_and_no_separation_is_the_zero_point(separation):
    metrics = pd.read_csv(separation[1], dtype={"fold": str})
    whole = metrics[(metrics["variant"] == "published") & (metrics["fold"] == "all")]
    values = whole.set_index(["system", "metric", "class"])["value"]
    for label in CLASSES:
        assert values["no_separation", "sdr", label] == pytest.approx(
            values["no_separation", "sir", label], abs=0.1
        )
        assert values["no_separation", "sar", label] > 80
        assert values["no_separation", "sdr_improvement", label] == 0
        for system in ("no_separation", SYSTEM):
            assert values["ibm", "sdr", label] > values[system, "sdr", label]
    assert (whole.loc[whole["metric"] == "silent_estimates", "value"] == 0).all()
    assert set(metrics["variant"]) == {"published", "active_span", "predicted_tags"}


def test_intervals_hold_the_pooled_values_of_the_metrics(comparison, metrics):
    intervals = pd.read_csv(comparison["intervals"])
    keys = ["task", "metric", "variant"]
    pooled = pd.read_csv(metrics).query("fold == 'pooled' and `class` == 'macro'")
    expected = pooled.set_index(keys)["value"]
    ours = intervals.query(f"system == '{SYSTEM}' and snr_db == '{SNR_DB}.0'").set_index(keys)
    assert set(ours.index.get_level_values("metric")) == {
        "f1",
        "map",
        "intersection_f1",
        "si_sdr_improvement",
        "capi_sdri",
    }
    for key, row in ours.iterrows():
        if key[0] != "separation":
            assert row["value"] == pytest.approx(expected[key], abs=1e-9), key
        assert row["low"] <= row["high"]


def test_the_order_of_folds_says_nothing(
    tmp_path, plan, scores, events, separation, comparison, metrics
):
    path = score(plan, scores, events, str(tmp_path / "part.csv"), turned=True)
    assert pd.read_csv(path).equals(pd.read_csv(metrics))
    turned = compare(tmp_path, plan, scores, events, separation[0], turned=True)
    for name, path in turned.items():
        assert Path(path).read_bytes() == Path(comparison[name]).read_bytes(), name


def test_twins_do_not_differ(comparison):
    table = pd.read_csv(comparison["comparisons"])
    assert set(table["system"]) == {"twin"}
    assert set(table["snr_db"]) == {f"{SNR_DB}.0", "all"}
    assert (table[["difference", "difference_low", "difference_high"]] == 0).all(axis=None)
    assert set(table["n_clips"]) == {12}


def test_without_its_package_psds_is_left_out_and_the_log_says_so(
    work, plan, scores, events, metrics, monkeypatch, capsys
):
    monkeypatch.setattr(system_metrics, "has_psds", lambda: False)
    path = score(plan, scores, events, str(work / "without_psds.csv"))
    assert (
        "PSDS is left out: the package sed_scores_eval is not installed" in capsys.readouterr().out
    )
    without, full = pd.read_csv(path), pd.read_csv(metrics)
    rest = full[~full["metric"].isin(["psds1", "psds2"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(without, rest)


def test_a_table_of_another_layout_is_named(work):
    other = work / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(TableError, match=r"other\.csv.*missing"):
        collect_metrics.main(
            stub("collect_metrics", inputs={"parts": [str(other)]}, outputs={"metrics": "unused"})
        )
