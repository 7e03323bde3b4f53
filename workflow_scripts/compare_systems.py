"""Intervals of the metrics of all systems, and of the differences between them."""

import math
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
    files = zip(smk.input.scores, smk.input.counts, smk.input.events, strict=True)
    tuned_files = zip(smk.input.detections, smk.input.tuned_events, strict=True)
    for snr, system, seed in smk.params.scored:
        folds, masks = {}, {}
        for fold in smk.params.folds:
            scores, counts, events = next(files)
            folds[fold], classes = read_fold_scores(
                scores, counts, read_events(events), labels, grid
            )
            masks[fold] = clip_counts.read_clip_masks(counts)
        measures = clip_counts.clip_measures(
            folds, classes, dict.fromkeys(folds, settings), masks=masks
        )
        if smk.input.detections:
            tuned, thresholds = {}, {}
            for fold, scores in folds.items():
                detection, events = next(tuned_files)
                tuned[fold] = replace(scores, estimated=read_events(events))
                thresholds[fold] = _at(settings, read_detection(detection, len(classes)))
            measures |= clip_counts.clip_measures(
                tuned, classes, thresholds, masks=masks, variant="tuned"
            )
        samples.add(
            "scored",
            clip_counts.ClipSet.of({fold: part.mixtures for fold, part in folds.items()}),
            measures,
            snr_db=math.nan if snr == "none" else float(snr),
            system=system,
            seed=seed,
        )
    files = iter(smk.input.separation)
    for snr, seed in smk.params.separated:
        folds = {fold: read_scores(next(files)) for fold in smk.params.folds}
        clips, measures = clip_counts.separation_measures(folds, smk.params.classes)
        for system in smk.params.systems:
            if system in measures:
                samples.add(
                    "separated",
                    clips,
                    measures[system],
                    snr_db=float(snr),
                    system=system,
                    seed=seed,
                )
    write_csv(smk.output.intervals, comparison.interval_rows(samples))
    write_csv(smk.output.comparisons, comparison.comparison_rows(samples, smk.params.reference))


if "snakemake" in globals():
    run_script(main, snakemake)
