"""Intervals of the metrics of all systems, and of the differences between them."""

from dataclasses import replace

import numpy as np

from tfseg.datasets import corpus_tables
from tfseg.evaluation import clip_counts, comparison
from tfseg.evaluation.records import MetricSettings
from tfseg.evaluation.scoring import read_fold_scores
from tfseg.evaluation.separation_rows import read_scores
from tfseg.features.time_grid import TimeGrid
from tfseg.inference.events import read_events
from tfseg.inference.operating_point import read_detection
from tfseg.io.files import write_csv
from tfseg.run.job import run_script


def _at(settings, detection):
    """Metric settings at a model's own thresholds."""
    return replace(
        settings,
        tag_threshold=np.asarray(detection.tag_threshold),
        frame_threshold=np.asarray(detection.frame_threshold),
    )


def main(smk):
    """Resample the clips of every system, SNR and repeat alike, write intervals and comparisons."""
    labels = corpus_tables.mixture_labels(
        corpus_tables.read_table(smk.input.mixture_events, "mixture_events"),
        corpus_tables.read_table(smk.input.mixtures, "mixtures"),
    )
    grid, settings = TimeGrid(**smk.params.grid), MetricSettings(**smk.params.metrics)
    samples = comparison.Samples(smk.params.resamples, smk.params.seed)
    for one in smk.params.scored:
        folds, masks = {}, {}
        for fold, files in one["folds"].items():
            folds[fold], classes = read_fold_scores(
                files["scores"], files["counts"], read_events(files["events"]), labels, grid
            )
            masks[fold] = clip_counts.read_clip_masks(files["counts"])
        measures = clip_counts.clip_measures(
            folds, classes, dict.fromkeys(folds, settings), masks=masks
        )
        if all("detection" in files for files in one["folds"].values()):
            tuned, thresholds = {}, {}
            for fold, files in one["folds"].items():
                tuned[fold] = replace(folds[fold], estimated=read_events(files["tuned_events"]))
                thresholds[fold] = _at(settings, read_detection(files["detection"], len(classes)))
            measures |= clip_counts.clip_measures(
                tuned, classes, thresholds, masks=masks, variant="tuned"
            )
        samples.add(
            "scored",
            clip_counts.ClipSet.of({fold: part.mixtures for fold, part in folds.items()}),
            measures,
            snr_db=one["snr_db"],
            system=one["system"],
            seed=one["seed"],
        )
    for one in smk.params.separated:
        folds = {fold: read_scores(path) for fold, path in one["folds"].items()}
        clips, measures = clip_counts.separation_measures(folds, smk.params.classes)
        for system in smk.params.systems:
            if system in measures:
                samples.add(
                    "separated",
                    clips,
                    measures[system],
                    snr_db=one["snr_db"],
                    system=system,
                    seed=one["seed"],
                )
    write_csv(smk.output.intervals, comparison.interval_rows(samples))
    write_csv(smk.output.comparisons, comparison.comparison_rows(samples, smk.params.reference))


if "snakemake" in globals():
    run_script(main, snakemake)
