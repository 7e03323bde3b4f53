r"""Compare the recipes of an experiment on validation clips; held-out folds are not opened.

    python bench/recipes.py --configfile FILE ... [--held-out 1] [--snr 0] [--seeds 1] \
        [--systems SYSTEM ...]

Trains systems of an experiment on the training part of all folds but one, and scores them on the
validation part of these folds (`split.validation`). `snakemake --until extract_features` makes the
features first.

Tags, frames and masks: mAP, and macro F1 with the experiment's fixed threshold and with the best
common threshold on the same clips (an upper bound). Events: macro F1 with the fixed settings, and
with the best settings of each class on the same clips, as in `postprocessing.tune`. CPU seconds are
those of the training.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from harness import read_config
from systems import build

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from tfseg.datasets import corpus_tables  # noqa: E402
from tfseg.evaluation.records import MetricSettings  # noqa: E402
from tfseg.evaluation.scoring import (  # noqa: E402
    FoldScores,
    f1_curves,
    frame_histograms,
    macro,
    tagging_metrics,
)
from tfseg.features.feature_set import load_features  # noqa: E402
from tfseg.inference.events import EventSettings  # noqa: E402
from tfseg.inference.forward import infer  # noqa: E402
from tfseg.inference.operating_point import DetectionSettings  # noqa: E402
from tfseg.inference.tuning import COLUMNS, tune  # noqa: E402
from tfseg.job.hardware import choose_precision, keep_freed_memory  # noqa: E402
from tfseg.job.seeding import derive_seed  # noqa: E402
from tfseg.settings.recipes import find_recipe  # noqa: E402
from tfseg.training.initial import initial_network, targets_of  # noqa: E402
from tfseg.training.loop import train  # noqa: E402
from tfseg.training.settings import read_settings  # noqa: E402

THRESHOLDS = np.linspace(0, 0.95, 96)


def train_one(config, name, data, seed, folder, teacher):
    """Train one system; return its network and the CPU seconds of the training."""
    recipe = find_recipe(config, name)
    settings = read_settings(recipe.training)
    if settings.kinds is not None:
        data = data.of_kinds(settings.kinds)
    network = initial_network(
        lambda: build(name, config),
        seed,
        data.logmel,
    )
    network.precision = choose_precision(config["precision"], "cpu", log=lambda text: None)
    started = time.process_time()
    train(
        network,
        data.logmel,
        targets_of(network, data),
        settings,
        seed=seed,
        state_path=Path(folder, f"{name}-{seed}.safetensors"),
        bound_to=name,
        teacher=teacher,
        log=lambda text: None,
    )
    return network.eval(), time.process_time() - started


def score(config, network, data, labels):
    """Scores on validation clips."""
    settings = {key: value for key, value in config["metrics"].items() if key != "processes"}
    settings = MetricSettings(**settings)
    with torch.inference_mode():
        inferred = infer(
            network,
            data,
            batch_size=config["inference"]["batch_size"],
            mask_thresholds={"published": settings.mask_threshold},
        )
    fold = FoldScores.of_features(data, *inferred, labels)
    values, _ = tagging_metrics(fold, settings)
    found = {"tag mAP": macro(values["map"])[0], "mask AUC": np.nan}
    if fold.masks is not None:
        found["mask AUC"] = macro(fold.masks.auc())[0]
    histogram = frame_histograms(fold, settings)[settings.tag_gate]
    found["frame mAP"] = macro(histogram.average_precision())[0]
    curves = f1_curves(fold, settings, THRESHOLDS)
    fixed = {"frame": settings.frame_threshold, "mask": settings.mask_threshold}
    for task, threshold in fixed.items():
        curve = curves.get(task)
        at = int(np.argmin(np.abs(THRESHOLDS - threshold)))
        found[f"{task} F1"] = np.nan if curve is None else curve[at]
        found[f"{task} F1, best"] = np.nan if curve is None else curve.max()
    return found | _event_f1(fold, config, settings, data)


def _event_f1(fold, config, settings, data):
    """Event F1 with the experiment's settings, and with the best settings of each class."""
    fixed = DetectionSettings(
        tag_threshold=settings.tag_threshold,
        tag_gate=settings.tag_gate,
        frame_threshold=settings.frame_threshold,
        mask_threshold=settings.mask_threshold,
        postprocessing=EventSettings(
            **{key: value for key, value in config["postprocessing"].items() if key != "tune"}
        ),
    )
    collars = {"collar_s": settings.collar_s, "offset_fraction": settings.offset_fraction}
    _, rows = tune(fold, data.classes, fixed, data.grid, **collars)
    rows = pd.DataFrame(rows, columns=COLUMNS)
    rows = rows[rows["what"] == "high_threshold"]
    return {
        "event F1": rows["fixed_f1"].mean(),
        "event F1, best": rows["validation_f1"].mean(),
    }


def open_run(run, held_out, snr):
    """Read the features of all folds of a run but one.

    Returns
    -------
    train, validation : tfseg.features.feature_set.FeatureSet
    labels : dict
        Mixture to list of (label, onset_s, offset_s).
    """
    results = ROOT / "results" / run
    folder = results / "features" / f"snr{snr}"
    paths = [
        path
        for path in sorted(folder.glob("fold*-*.h5"))
        if not path.name.startswith(f"fold{held_out}-")
    ]
    if not paths:
        sys.exit(
            f"{folder}: expected feature files (snakemake --until extract_features), found none"
        )
    data = load_features(paths)
    labels = corpus_tables.mixture_labels(
        corpus_tables.read_table(results / "mixtures" / "events.csv", "mixture_events"),
        corpus_tables.read_table(results / "mixtures" / "mixtures.csv", "mixtures"),
    )
    validation = data.of_parts(["validation"]).of_kinds(["mixture"])
    return data.of_parts(["train"]), validation, labels


def main():
    """Print a row per system."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configfile", nargs="+", required=True, metavar="FILE")
    parser.add_argument("--held-out", type=int, default=1, help="fold that is left out")
    parser.add_argument("--snr", default="0")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--systems", nargs="+", metavar="SYSTEM", help="default: the experiment's")
    arguments = parser.parse_args()
    config = read_config(arguments.configfile)
    keep_freed_memory()
    train, validation, labels = open_run(config["run"], arguments.held_out, arguments.snr)
    print(f"{len(train.mixture)} clips to train on, {len(validation.mixture)} to score")
    rows = []
    with tempfile.TemporaryDirectory() as states:
        for repeat in range(arguments.seeds):
            networks, seed = {}, derive_seed(config["seed"], "recipes", repeat)
            for name in arguments.systems or config["systems"]:
                teacher = networks.get(find_recipe(config, name).teacher)
                networks[name], cpu_s = train_one(config, name, train, seed, states, teacher)
                found = score(config, networks[name], validation, labels)
                rows.append({"system": name, "seed": repeat, **found, "CPU s": cpu_s})
                print(
                    pd.DataFrame(rows[-1:]).round(3).to_string(header=len(rows) == 1, index=False)
                )
                sys.stdout.flush()
    table = pd.DataFrame(rows).drop(columns="seed").groupby("system", sort=False).mean()
    print()
    print(table.round(3).to_string())


if __name__ == "__main__":
    main()
