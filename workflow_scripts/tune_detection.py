"""Choose a model's thresholds on validation clips of its training folds, for each class alone."""

import pandas as pd

from tfseg.datasets import corpus_tables
from tfseg.evaluation.scoring import FoldScores
from tfseg.features.feature_set import load_features
from tfseg.inference.forward import infer, load_prepared
from tfseg.inference.operating_point import detection_settings, write_detection
from tfseg.inference.tuning import COLUMNS, tune
from tfseg.io.files import write_csv
from tfseg.job.hardware import choose_precision, prepare_device
from tfseg.job.progress import bars
from tfseg.job.runner import run_script


def main(smk):
    """Write ``detection.json``, and ``tuning.csv`` with what each choice scored."""
    params = smk.params
    device = prepare_device(smk.resources.gpu, params.threads)
    precision = choose_precision(params.precision, device)
    network, _ = load_prepared(smk.input.model, smk.input.description, precision, device)
    features = load_features(smk.input.features).of_parts(["validation"]).scored()
    fixed = detection_settings(params.thresholds, params.postprocessing)
    inferred = infer(
        network,
        features,
        batch_size=params.batch_size,
        mask_thresholds={"published": fixed.mask_threshold} if params.has_ideal_masks else None,
        device=device,
        progress=bars(f"validation, {smk.wildcards.system}, {smk.wildcards.snr} dB"),
    )
    _, labels = corpus_tables.read_plan(smk.input.mixtures, smk.input.mixture_events)
    scores = FoldScores.of_features(features, *inferred, labels)
    settings, rows = tune(scores, features.classes, fixed, features.grid, **params.collars)
    write_detection(smk.output.detection, settings)
    write_csv(smk.output.tuning, pd.DataFrame(rows, columns=COLUMNS, dtype=object))


if "snakemake" in globals():
    run_script(main, snakemake)
