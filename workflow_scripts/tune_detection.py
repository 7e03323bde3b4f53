"""Choose a model's thresholds on validation clips of its training folds, for each class alone."""

import pandas as pd
import torch

from tfseg.datasets import corpus_tables
from tfseg.evaluation.scoring import FoldScores
from tfseg.features.feature_set import load_features
from tfseg.inference.events import EventSettings
from tfseg.inference.forward import infer, load_model, prepare_for_inference
from tfseg.inference.operating_point import DetectionSettings, write_detection
from tfseg.inference.tuning import COLUMNS, tune
from tfseg.io.files import write_csv
from tfseg.job.hardware import choose_device, choose_precision, keep_freed_memory
from tfseg.job.progress import bars
from tfseg.job.runner import run_script


def main(smk):
    """Write ``detection.json``, and ``tuning.csv`` with what each choice scored."""
    torch.set_num_threads(smk.params.threads)
    keep_freed_memory()
    device = choose_device(smk.resources.gpu)
    network, _ = load_model(smk.input.model, smk.input.description, device)
    prepare_for_inference(network, choose_precision(smk.params.precision, device))
    features = load_features(smk.input.features).of_parts(["validation"])
    features = features.of_kinds(["mixture", "clip"])
    fixed = DetectionSettings(
        **smk.params.thresholds, postprocessing=EventSettings(**smk.params.postprocessing)
    )
    tags, frames, counter = infer(
        network,
        features,
        batch_size=smk.params.batch_size,
        mask_thresholds={"published": fixed.mask_threshold} if smk.params.has_ideal_masks else None,
        device=device,
        progress=bars(f"validation, {smk.wildcards.system}, {smk.wildcards.snr} dB"),
    )
    _, labels = corpus_tables.read_plan(smk.input.mixtures, smk.input.mixture_events)
    grid, classes = features.grid, features.classes
    scores = FoldScores.from_scores(
        features.mixture,
        tags,
        features.target,
        frames,
        labels,
        classes=classes,
        grid=grid,
        masks=counter.result()[0] if counter else None,
    )
    settings, rows = tune(scores, classes, fixed, grid, **smk.params.collars)
    write_detection(smk.output.detection, settings)
    write_csv(smk.output.tuning, pd.DataFrame(rows, columns=COLUMNS, dtype=object))


if "snakemake" in globals():
    run_script(main, snakemake)
