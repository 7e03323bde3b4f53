"""Results for readers: leaderboard, tables, figures, audio examples."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from script_stubs import (
    FOLDS,
    REPOSITORY,
    SNR_DB,
    SYSTEM,
    job_of,
    model_paths,
    params_of,
    scored_folds,
    stub,
)
from small_baselines import PUBLISHED

import infer_examples
import infer_listening
import make_leaderboard
import make_tables
import plot_figure
from tfseg.evaluation.intersection import has_psds
from tfseg.reporting import audio_examples
from tfseg.reporting.figures.registry import find_figures
from tfseg.reporting.tables.registry import table_files
from tfseg.run.inputs import files_in


def test_the_leaderboard_says_what_systems_achieve_and_cost(work, metrics, comparison):
    outputs = {ending: str(work / f"leaderboard.{ending}") for ending in ("csv", "md", "tex")}
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
    table = pd.read_csv(outputs["csv"]).set_index("system")
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
    assert "| gwrp |" in Path(outputs["md"]).read_text()
    assert "| frames | – |" in Path(outputs["md"]).read_text()
    assert Path(outputs["tex"]).read_text().count(r"\\") >= 3


@pytest.mark.parametrize("paper", [True, False])
def test_tables_show_the_paper_only_where_it_applies(work, metrics, paper):
    outputs = table_files(str(work / f"tables{paper}"), tunes=False)
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
    table = pd.read_csv(outputs["tagging_by_snr_csv"])
    ours = pd.read_csv(metrics)
    ours = ours.query(
        "task == 'tagging' and metric == 'map' and `class` == 'macro' and fold == 'all' and variant == 'published'"
    )["value"].item()
    row = table[table["metric"] == "map"].iloc[0]
    assert row["ours"] == pytest.approx(ours, abs=1e-12)
    probe = pd.read_csv(outputs["time_index_csv"])
    assert probe.loc[probe["variant"] == "time_index", "ours"].notna().all()
    if paper:  # TASLP Table II: GWRP at 10 dB has an mAP of 0.696
        assert row["paper"] == 0.696
        assert row["difference"] == pytest.approx(ours - 0.696, abs=1e-12)
        assert "0.696" in Path(outputs["tagging_by_snr_md"]).read_text()
    else:
        assert table["paper"].isna().all()
        assert "paper" not in Path(outputs["tagging_by_snr_md"]).read_text().lower()
    assert Path(outputs["tagging_by_snr_tex"]).read_text().count(r"\\") >= 2


def test_figures_are_drawn(work, plan, stems, models, scores, metrics):
    example, used = str(work / "example.h5"), {SYSTEM: model_paths(models[1])}
    infer_examples.main(
        stub(
            "infer_examples",
            inputs={
                "models": files_in(used),
                "stems": stems[1, 0],
                "mixture_events": plan["events"],
            },
            outputs={"example": example},
            params={"models": used, "snr_db": SNR_DB},
        )
    )
    with h5py.File(example) as file:
        ideal, active = file["ratio_masks"][:], file["target"][:]
        assert np.flatnonzero(ideal.any(axis=(1, 2))).tolist() == np.flatnonzero(active).tolist()
    runs = [{"snr_db": SNR_DB, "system": SYSTEM, "fold": fold, "repeat": 0} for fold in FOLDS]
    trainings = [run | {"history": models[run["fold"]].history} for run in runs]
    names = ("scores", "counts")
    scored = [run | {name: getattr(scores[run["fold"]], name) for name in names} for run in runs]
    given = {
        "example": {},
        "histories": {"trainings": trainings},
        "metrics": {},
        "scores": {"scored": scored, "snr_db": SNR_DB},
    }
    inputs = {
        "example": example,
        "histories": [one["history"] for one in trainings],
        "metrics": metrics,
        **{name: [one[name] for one in scored] for name in names},
        "mixtures": plan["mixtures"],
        "mixture_events": plan["events"],
    }
    declared = find_figures()
    assert {need for figure in declared.values() for need in figure.needs} == set(given)
    for name, figure in declared.items():
        job = job_of("plot_figure", figure=name)
        paths = {ending: str(work / f"{name}.{ending}") for ending in ("png", "svg")}
        params = {key: value for need in figure.needs for key, value in given[need].items()}
        plot_figure.main(
            stub(
                "plot_figure",
                inputs={key: inputs[key] for key in job["inputs"]},
                outputs=paths,
                params={"given": job["params"]["given"] | params},
                wildcards={"figure": name},
            )
        )
        assert Path(paths["png"]).read_bytes().startswith(b"\x89PNG")
        assert b"<svg" in Path(paths["svg"]).read_bytes()[:600]


def test_the_audio_examples_are_the_best_the_median_and_the_worst(
    work, plan, stems, models, scores, events
):
    path, used = str(work / "listening.h5"), {SYSTEM: model_paths(models[1])}
    scored = {SYSTEM: scored_folds(scores, events)[1]}
    infer_listening.main(
        stub(
            "infer_listening",
            inputs={
                "models": files_in(used),
                "scored": files_in(scored),
                "mixtures": plan["mixtures"],
                "mixture_events": plan["events"],
                "stems": [stems[1, shard] for shard in (0, 1)],
                "clips": [],
            },
            outputs={"listening": path},
            params={"models": used, "scored": scored, "snr_db": SNR_DB},
        )
    )
    best, median, worst = audio_examples.read_audio_examples(path)
    assert best.score >= median.score >= worst.score
    names = {one.example.mixture for one in (best, median, worst)}
    mixtures = pd.read_csv(plan["mixtures"])
    assert len(names) == 3 and names <= set(mixtures.loc[mixtures["fold"] == 1, "mixture"])
    # The system's frame scores are those that were stored of the clip, up to float16.
    with h5py.File(scores[1].scores) as file:
        row = [name.decode() for name in file["mixture"][:]].index(best.example.mixture)
        stored = file["frames"][row]
    np.testing.assert_allclose(best.example.frames[SYSTEM].T, stored, atol=2e-3)
