"""Draw F1 against the threshold, with the fixed thresholds of the tables marked."""

import numpy as np

from tfseg.datasets import corpus_tables
from tfseg.evaluation.records import MetricSettings
from tfseg.evaluation.scoring import f1_curves, read_fold_scores
from tfseg.features.time_grid import TimeGrid
from tfseg.reporting import figures
from tfseg.run.job import run_script

THRESHOLDS = np.logspace(-3, 0, 121)


def main(smk):
    """Read scores and counts of every system and fold, draw the means over folds."""
    labels = corpus_tables.mixture_labels(
        corpus_tables.read_table(smk.input.mixture_events, "mixture_events"),
        corpus_tables.read_table(smk.input.mixtures, "mixtures"),
    )
    grid, settings = TimeGrid(**smk.params.grid), MetricSettings(**smk.params.metrics)
    by_system = {system: [] for system in smk.params.systems}
    parts = zip(smk.params.scored_systems, smk.input.scores, smk.input.counts, strict=True)
    for system, scores, counts in parts:
        fold, _ = read_fold_scores(scores, counts, {}, labels, grid)
        by_system[system].append(f1_curves(fold, settings, THRESHOLDS))
    curves = {
        system: {task: np.mean([one[task] for one in of_folds], axis=0) for task in of_folds[0]}
        for system, of_folds in by_system.items()
    }
    fixed = {
        "tagging": settings.tag_threshold,
        "frame": settings.frame_threshold,
        "mask": settings.mask_threshold,
    }
    figure = figures.draw_thresholds(curves, THRESHOLDS, fixed, smk.params.snr_db)
    figures.save(figure, smk.output.png, smk.output.svg)


if "snakemake" in globals():
    run_script(main, snakemake)
