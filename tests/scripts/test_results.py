"""What is read, looked at and listened to: leaderboard, tables, figures, clips."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import plot_example
import plot_metrics
import plot_thresholds
import plot_training
import pytest
from script_stubs import (
    FOLDS,
    REPOSITORY,
    SNR_DB,
    SYSTEM,
    Named,
    params_of,
    stub,
)
from small_baselines import PUBLISHED

import infer_examples
import infer_listening
import make_leaderboard
import make_tables
from tfseg.evaluation.intersection import has_psds
from tfseg.reporting import audio_examples


def test_the_leaderboard_says_what_systems_achieve_and_cost(work, metrics, comparison):
    outputs = Named(*(str(work / f"leaderboard.{ending}") for ending in ("csv", "md", "tex")))
    trained, features = params_of("train_model"), params_of("extract_features")["features"]
    make_leaderboard.main(
        stub(
            "make_leaderboard",
            inputs={"metrics": metrics, "intervals": comparison["intervals"]},
            outputs=outputs,
            params={
                "systems": [SYSTEM, "frames"],  # a variant, of which there are no scores
                "recipes": [
                    {"network": name, "trunk": trained["trunk"], "pooling": trained["pooling"]}
                    for name in (SYSTEM, "dnn")
                ],
                "baselines": PUBLISHED,
            },
        )
    )
    table = pd.read_csv(outputs[0]).set_index("system")
    expected = pd.read_csv(metrics).query("fold == 'pooled' and `class` == 'macro'")
    expected = expected.set_index(["task", "metric", "variant"])["value"]
    found = table.loc[SYSTEM]
    assert found["tagging_map"] == pytest.approx(expected["tagging", "map", "published"])
    assert found["tagging_map_low"] <= found["tagging_map"] <= found["tagging_map_high"]
    if has_psds():
        assert found["event_psds1"] == pytest.approx(expected["event", "psds1", "ungated"])
    assert table.loc["frames"].drop(["parameters", "mac_per_clip"]).isna().all()
    # One 3x3 convolution of 4 maps with normalisation, and the masks of two classes.
    assert found["parameters"] == 9 * 4 + 2 * 4 + 4 * 2 + 2
    n_units = (1 + (2 * 8000 - 512) // 256) * features["n_mels"]
    assert found["mac_per_clip"] == n_units * (9 * 4 + 4 * 2)
    assert "| gwrp |" in Path(outputs[1]).read_text()
    assert "| frames | – |" in Path(outputs[1]).read_text()
    assert Path(outputs[2]).read_text().count(r"\\") >= 3


@pytest.mark.parametrize("paper", [True, False])
def test_tables_show_the_paper_only_where_it_applies(work, metrics, paper):
    outputs = Named(
        *(
            str(work / f"tables{paper}" / f"{task}_by_{by}.{ending}")
            for task in ("tagging", "frame", "event", "mask")
            for by in ("snr", "class")
            for ending in ("csv", "md", "tex")
        ),
        str(work / f"tables{paper}" / "time_index.csv"),
    )
    make_tables.main(
        stub(
            "make_tables",
            inputs={
                "metrics": metrics,
                "paper": str(REPOSITORY / "resources/paper_tables/tfseg2019.csv"),
            },
            outputs=outputs,
            params={
                "compare_with": "tfseg2019" if paper else None,
                "snr_db": [SNR_DB],
                "by_class_snr_db": SNR_DB,
            },
        )
    )
    table = pd.read_csv(outputs[0])
    ours = pd.read_csv(metrics)
    ours = ours.query(
        "task == 'tagging' and metric == 'map' and `class` == 'macro' and fold == 'all' and variant == 'published'"
    )["value"].item()
    row = table[table["metric"] == "map"].iloc[0]
    assert row["ours"] == pytest.approx(ours, abs=1e-12)
    probe = pd.read_csv(outputs[-1])
    assert probe.loc[probe["variant"] == "time_index", "ours"].notna().all()
    if paper:  # TASLP Table II: GWRP at 10 dB has an mAP of 0.696
        assert row["paper"] == 0.696
        assert row["difference"] == pytest.approx(ours - 0.696, abs=1e-12)
        assert "0.696" in Path(outputs[1]).read_text()
    else:
        assert table["paper"].isna().all()
        assert "paper" not in Path(outputs[1]).read_text().lower()
    assert Path(outputs[2]).read_text().count(r"\\") >= 2


def test_figures_are_drawn(work, plan, stems, models, scores, metrics):
    example = str(work / "example.h5")
    infer_examples.main(
        stub(
            "infer_examples",
            inputs={
                "models": [models[1].model],
                "descriptions": [models[1].description],
                "stems": stems[1, 0],
                "mixture_events": plan["events"],
            },
            outputs={"example": example},
            params={"snr_db": SNR_DB},
        )
    )
    with h5py.File(example) as file:
        ideal, active = file["ratio_masks"][:], file["target"][:]
        assert np.flatnonzero(ideal.any(axis=(1, 2))).tolist() == np.flatnonzero(active).tolist()
    figures = {
        f"{name}_{ending}": str(work / f"{name}.{ending}")
        for name in ("mixture", "masks", "frames", "classes")
        for ending in ("png", "svg")
    }
    plot_example.main(stub("plot_example", inputs={"example": example}, outputs=figures))
    histories = [models[fold].history for fold in FOLDS]
    training = {ending: str(work / f"training.{ending}") for ending in ("png", "svg")}
    plot_training.main(
        stub(
            "plot_training",
            inputs={"histories": histories},
            outputs=training,
            params={"names": [f"{SNR_DB} {SYSTEM} {fold} 0" for fold in FOLDS]},
        )
    )
    by_snr = {ending: str(work / f"by_snr.{ending}") for ending in ("png", "svg")}
    plot_metrics.main(
        stub(
            "plot_metrics",
            inputs={"metrics": metrics},
            outputs=by_snr,
        )
    )
    thresholds = {ending: str(work / f"thresholds.{ending}") for ending in ("png", "svg")}
    plot_thresholds.main(
        stub(
            "plot_thresholds",
            inputs={
                "scores": [scores[fold].scores for fold in FOLDS],
                "counts": [scores[fold].counts for fold in FOLDS],
                "mixtures": plan["mixtures"],
                "mixture_events": plan["events"],
            },
            outputs=thresholds,
            params={"snr_db": SNR_DB},
        )
    )
    drawn = [figures, training, by_snr, thresholds]
    for path in [path for paths in drawn for path in paths.values()]:
        head = Path(path).read_bytes()[:600]
        assert head.startswith(b"\x89PNG") if path.endswith("png") else b"<svg" in head


def test_the_listening_clips_are_the_best_the_median_and_the_worst(
    work, plan, stems, models, scores, events
):
    path = str(work / "listening.h5")
    infer_listening.main(
        stub(
            "infer_listening",
            inputs={
                "models": [models[1].model],
                "descriptions": [models[1].description],
                "scores": [scores[1].scores],
                "counts": [scores[1].counts],
                "events": [events[1]],
                "mixtures": plan["mixtures"],
                "mixture_events": plan["events"],
                "stems": [stems[1, shard] for shard in (0, 1)],
                "clips": [],
            },
            outputs={"listening": path},
            params={"snr_db": SNR_DB},
        )
    )
    best, median, worst = audio_examples.read_listening(path)
    assert best.score >= median.score >= worst.score
    names = {one.example.mixture for one in (best, median, worst)}
    mixtures = pd.read_csv(plan["mixtures"])
    assert len(names) == 3 and names <= set(mixtures.loc[mixtures["fold"] == 1, "mixture"])
    # The system's frame scores are those that were stored of the clip, up to float16.
    with h5py.File(scores[1].scores) as file:
        row = [name.decode() for name in file["mixture"][:]].index(best.example.mixture)
        stored = file["frames"][row]
    np.testing.assert_allclose(best.example.frames[SYSTEM].T, stored, atol=2e-3)
