"""The report: what was run, tables, figures, clips to listen to, confusion, deviations."""

from pathlib import Path

from tfseg.io.files import read_json, write_text
from tfseg.job.runner import run_script
from tfseg.reporting.audio_examples import read_audio_examples
from tfseg.reporting.pages import report
from tfseg.reporting.pages.audio_examples import audio_example_views, place_sounds
from tfseg.reporting.pages.deviations import changes_in_words, deviations_of
from tfseg.reporting.pages.render import render
from tfseg.snr import snr_name


def main(smk):
    """Read everything, write one page, and sounds beside it where it would become too large."""
    params, config, files = smk.params, smk.params.config, Path(smk.output.files)
    files.mkdir(parents=True, exist_ok=True)
    chosen = read_audio_examples(smk.input.listening)
    descriptions = [read_json(model["description"]) for model in params.models.values()]
    commit = report.git_commit(report.REPOSITORY)
    times = report.training_times(params.benchmarks, list(params.scores))
    page = render(
        "report.html",
        run=config["run"],
        facts=report.facts(config, descriptions, read_json(smk.input.licences), commit),
        stages=report.stages(params.benchmarks),
        leaderboard=report.leaderboard_table(**params.leaderboard, seconds=times),
        **report.result_tables(params.tables, params.by_class_snr_db),
        **report.figures_by_section(params.figures),
        views=audio_example_views(chosen, place_sounds(chosen, files, files.name)),
        by_times=all(one.by_times for one in chosen),
        fold=config["figures"]["fold"],
        snr=snr_name(params.snr_db),
        confusions=report.confusions(params.scores, params.tag_threshold, params.classes),
        tag_threshold=params.tag_threshold,
        changes=changes_in_words(params.changes),
        deviations=deviations_of(Path(smk.input.deviations).read_text(encoding="utf-8"), config),
    )
    write_text(smk.output.page, page)


if "snakemake" in globals():
    run_script(main, snakemake)
