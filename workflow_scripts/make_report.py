"""The report: what was run, tables, figures, clips to listen to, confusion, deviations."""

import math
from pathlib import Path

import numpy as np

from tfseg.evaluation.confusion import confusion_rates
from tfseg.io.files import read_json, reading_hdf5, write_text
from tfseg.reporting import audio_examples
from tfseg.reporting.pages import deviations, report
from tfseg.reporting.pages.audio_examples import listening_views, place_sounds
from tfseg.reporting.pages.render import render
from tfseg.reporting.pages.result_tables import read_table
from tfseg.reporting.tables.layout import snr_name
from tfseg.run.job import run_script


def _confusions(smk):
    """Confusion of each system, all held-out folds and repeats together."""
    by_system = {system: [] for system in smk.params.systems}
    for system, path in zip(smk.params.scored_systems, smk.input.scores, strict=True):
        with reading_hdf5(path) as file:
            by_system[system].append((file["tags"][:], file["target"][:].astype(bool)))
    return [
        report.confusion_table(
            system,
            *confusion_rates(
                np.concatenate([tags for tags, _ in parts]),
                np.concatenate([target for _, target in parts]),
                smk.params.tag_threshold,
            ),
            smk.params.classes,
        )
        for system, parts in by_system.items()
    ]


def main(smk):
    """Read everything, write one page, and sounds beside it where it would become too large."""
    config, files = smk.params.config, Path(smk.output.files)
    files.mkdir(parents=True, exist_ok=True)
    chosen = audio_examples.read_listening(smk.input.listening)
    assets = place_sounds(chosen, files, files.name)
    snr_db = math.nan if smk.params.example_snr == "none" else float(smk.params.example_snr)
    by_class_snr_db = math.nan if math.isnan(snr_db) else config["tables"]["by_class_snr_db"]
    files = {(Path(path).stem, Path(path).suffix): path for path in smk.input.tables}
    tables = [
        read_table(path, files[name, ".md"], by_class_snr_db)
        for (name, suffix), path in files.items()
        if suffix == ".csv"
    ]
    figures = [
        report.figure(png, caption, config)
        for png, caption in zip(smk.input.figures, smk.input.captions, strict=True)
    ]
    page = render(
        "report.html",
        run=config["run"],
        facts=report.facts(
            config,
            [read_json(path) for path in smk.input.descriptions],
            read_json(smk.input.licences),
            report.git_commit(report.REPOSITORY),
        ),
        stages=report.stages(smk.params.benchmarks),
        leaderboard=report.leaderboard_table(
            *smk.input.leaderboard,
            report.training_times(smk.params.benchmarks, smk.params.systems),
        ),
        tables=tables,
        compared=any(column.heading == "paper" for table in tables for column in table.columns),
        figures=[figure for figure in figures if figure["name"] != "training"],
        training=next(figure for figure in figures if figure["name"] == "training"),
        views=listening_views(chosen, assets),
        by_times=all(one.by_times for one in chosen),
        fold=config["figures"]["fold"],
        snr=snr_name(snr_db),
        confusions=_confusions(smk),
        tag_threshold=smk.params.tag_threshold,
        changes=[
            (key, deviations.plain(default), deviations.plain(value))
            for key, default, value in smk.params.changes
        ],
        deviations=deviations.deviations_of(
            Path(smk.input.deviations).read_text(encoding="utf-8"), config
        ),
    )
    write_text(smk.output.page, page)


if "snakemake" in globals():
    run_script(main, snakemake)
