"""Small made-up files of a run with known values, and their report."""

import json
from pathlib import Path

import h5py
import matplotlib.image
import numpy as np
import pandas as pd
import yaml
from script_stubs import stub

import make_report
from tfseg.evaluation.comparison import INTERVAL_COLUMNS
from tfseg.evaluation.records import COLUMNS as METRIC_COLUMNS
from tfseg.reporting import leaderboard
from tfseg.reporting.audio_examples import AudioExample, write_audio_examples
from tfseg.reporting.examples import Example
from tfseg.reporting.figures.registry import find_figures
from tfseg.run.experiment import reported_config
from tfseg.run.inputs import files_in

REPOSITORY = Path(__file__).parents[2]
HOSTILE = "<script>alert(1)</script>"
CLASSES = ["Flute", "Hi-hat", HOSTILE]
SYSTEMS = ["gmp", "gwrp", "dnn"]  # the last has no masks
RATE, HOP, N_FRAMES, N_MELS = 8000, 200, 119, 16
DURATION_S = 3.0
# By SNR and system, in the order of the table: sorted as text, 10.5 would come before 9.
F1 = [9.0, 10.5, np.nan, -3.0, 0.25, 100.0]


def half_mask(left):
    """A mask that is one in the left (or the right) half of the time, zero elsewhere."""
    mask = np.zeros((N_FRAMES, N_MELS), dtype=np.float32)
    mask[: N_FRAMES // 2 if left else None] = 1
    if not left:
        mask[: N_FRAMES // 2] = 0
    return mask


def audio_example(reason, *, has_references=True):
    """A clip whose sounds, masks and events are known."""
    time_s = np.arange(int(DURATION_S * RATE)) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)
    masks = np.stack([half_mask(True), half_mask(False), half_mask(True)])
    frames = np.full((len(CLASSES), N_FRAMES), 0.25, dtype=np.float32)
    target = np.array([True, False, True])
    strong = np.zeros((N_FRAMES, len(CLASSES)), dtype=bool)
    strong[20:60, 0] = strong[60:100, 2] = True
    return AudioExample(
        reason=reason,
        score=0.5,
        by_times=has_references,
        example=Example(
            mixture=f"fold1-{reason}",
            snr_db=0.0 if has_references else None,
            sample_rate=RATE,
            hop_length=HOP,
            mel_hz=np.linspace(100, 3900, N_MELS),
            waveform=tone,
            logmel=np.random.default_rng(1).random((N_FRAMES, N_MELS)),
            classes=CLASSES,
            target=target,
            strong=strong if has_references else None,
            ratio_masks=masks if has_references else None,
            masks={system: masks for system in SYSTEMS[:2]},
            frames={system: frames for system in SYSTEMS},
            tags={system: target.astype(float) for system in SYSTEMS},
        ),
        shown=CLASSES,
        true_events=[("Flute", 0.5, 1.5), (HOSTILE, 1.5, 2.5)] if has_references else None,
        detected={"gmp": [], "gwrp": [("Flute", 0.6, 1.4)], "dnn": [(HOSTILE, 1.0, 2.0)]},
        references={"Flute": tone, HOSTILE: tone} if has_references else {},
        separated={s: {label: tone / 2 for label in CLASSES} for s in SYSTEMS[:2]},
    )


def _write_tables(folder):
    columns = ["snr_db", "system", "class", "metric", "ours", "fold_std", "paper", "difference"]
    keys = [(snr, system) for snr in (10.0, 0.0) for system in SYSTEMS]
    by_snr = [
        (*key, "macro", "f1", ours, 0.01, 0.5, ours - 0.5)
        for key, ours in zip(keys, F1, strict=True)
    ]
    by_class = [
        (0.0, system, label, "f1", ours, 0.0, ours + change, -change)
        for system in SYSTEMS
        for label, ours, change in zip(
            [*CLASSES, "macro"], (0.3, 0.2, 0.1, 0.2), (0.2, 0.1, 0, -0.2), strict=True
        )
    ]
    paths = {}
    for name, rows in (("tagging_by_snr", by_snr), ("tagging_by_class", by_class)):
        paths[name] = {ending: str(folder / f"{name}.{ending}") for ending in ("csv", "md")}
        pd.DataFrame(rows, columns=columns).to_csv(paths[name]["csv"], index=False)
        text = f"{name.replace('_', ' ')}: mean over folds.\n\n| |\n"
        Path(paths[name]["md"]).write_text(text)
    return paths


def _write_leaderboard(folder):
    """The same without entries that need masks of the last system."""
    costs = {system: (1000 * (i + 1), 2_500_000) for i, system in enumerate(SYSTEMS)}
    metrics = pd.DataFrame([], columns=METRIC_COLUMNS)
    keys = [("tagging", "map", "published", s) for s in SYSTEMS]
    keys += [("mask", "f1", "published", s) for s in SYSTEMS[:2]]
    intervals = pd.DataFrame(
        [
            (*key[:2], "macro", "all", key[3], "pooled", "0", key[2], 0.5, 0.4, 0.625, 0.95, "")
            for key in keys
        ],
        columns=INTERVAL_COLUMNS,
    )
    table = leaderboard.leaderboard(metrics, intervals, costs)
    paths = {ending: str(folder / f"leaderboard.{ending}") for ending in ("csv", "md")}
    for path in paths.values():
        leaderboard.write(path, table, leaderboard.TABLE.caption(3.0, 1000))
    return paths


def _write_scores(path):
    with h5py.File(path, "w") as file:
        file["tags"] = np.array([[0.9, 0.9, 0], [0.9, 0, 0], [0, 0, 0]], dtype=np.float32)
        file["target"] = np.array([[1, 0, 1], [1, 1, 0], [0, 0, 1]], dtype=np.uint8)
    return str(path)


def _write_json(path, value):
    path.write_text(json.dumps(value))
    return str(path)


def make(folder, clips):
    """Make up a run and its report.

    Parameters
    ----------
    folder : Path
    clips : list of AudioExample

    Returns
    -------
    page : Path
    """
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    config["corpus"]["classes"], config["systems"] = CLASSES, SYSTEMS
    listening = folder / "listening.h5"
    write_audio_examples(listening, clips)
    figures = [
        {
            "name": figure.name,
            "section": figure.section,
            "caption": figure.caption_of(config),
            "png": str(folder / f"{figure.name}.png"),
        }
        for figure in find_figures().values()
    ]
    for figure in figures:
        matplotlib.image.imsave(figure["png"], np.ones((300, 900, 3)))
    benchmark = folder / "benchmarks/train_model/snr0-gwrp-fold1-seed0.tsv"
    benchmark.parent.mkdir(parents=True)
    benchmark.write_text("s\tmax_rss\tcpu_time\n12.5\t100\t20\n")
    model = {
        "model": str(folder / "model.safetensors"),
        "description": _write_json(folder / "model.json", {"trained_in": "float32"}),
    }
    scores = {system: [_write_scores(folder / f"{system}.h5")] for system in SYSTEMS}
    tables, board = _write_tables(folder), _write_leaderboard(folder)
    models = dict.fromkeys(SYSTEMS, model)
    smk = stub(
        "make_report",
        inputs={
            "listening": str(listening),
            "scores": files_in(scores),
            "models": files_in(models),
            "tables": files_in(tables),
            "leaderboard": files_in(board),
            "figures": [figure["png"] for figure in figures],
            "licences": _write_json(
                folder / "licences.json", {"licences": {"CC0": 1}, "restricted": []}
            ),
            "deviations": str(REPOSITORY / "resources/deviations.yaml"),
        },
        outputs={"page": str(folder / "report.html"), "files": str(folder / "report_files")},
        params={
            "config": reported_config(config),
            "changes": [["corpus.classes", ["a"], CLASSES]],
            "scores": scores,
            "models": models,
            "tables": tables,
            "leaderboard": board,
            "figures": figures,
            "classes": CLASSES,
            "snr_db": 0.0,
            "by_class_snr_db": 0.0,
            "tag_threshold": 0.1,
            "benchmarks": str(folder / "benchmarks"),
        },
        by_name=("scores", "models", "tables"),
    )
    make_report.main(smk)
    return Path(smk.output.page)
