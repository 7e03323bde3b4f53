"""Lay out the leaderboard: a row per system, over all SNRs, folds and repeats."""

from tfseg.evaluation.records import read_metrics
from tfseg.features.time_grid import TimeGrid
from tfseg.job.runner import run_script
from tfseg.models.cost import network_cost
from tfseg.models.systems import build_network
from tfseg.reporting import leaderboard


def main(smk):
    """Count what each network costs, write the table as CSV, Markdown and LaTeX."""
    n_mels = smk.params.n_mels
    n_frames = TimeGrid(**smk.params.grid).n_frames_in(smk.params.clip_s)
    costs = {}
    for system, recipe in zip(smk.params.systems, smk.params.recipes, strict=True):
        network = build_network(
            recipe["network"],
            n_classes=len(smk.params.classes),
            n_mels=n_mels,
            trunk_settings=recipe["trunk"],
            pooling_settings=recipe["pooling"],
            baseline_settings=smk.params.baselines,
        )
        costs[system] = network_cost(network, n_frames, n_mels)
    table = leaderboard.leaderboard(
        read_metrics(smk.input.metrics), leaderboard.read_intervals(smk.input.intervals), costs
    )
    title = leaderboard.TABLE.caption(smk.params.clip_s, smk.params.resamples)
    for output in smk.output:
        leaderboard.write(output, table, title)


if "snakemake" in globals():
    run_script(main, snakemake)
