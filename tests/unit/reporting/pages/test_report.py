import re
import subprocess

import numpy as np
import pandas as pd
import pytest

from tfseg.reporting.figures.registry import find_figures
from tfseg.reporting.pages import deviations, render, report
from tfseg.reporting.pages.audio_examples import EMBEDDED_SOUNDS_LIMIT
from tfseg.reporting.pages.result_tables import read_table
from tfseg.settings.comparing import changed_keys


def _write_table(folder, name, rows):
    columns = ["snr_db", "system", "class", "metric", "ours", "fold_std", "paper", "difference"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / f"{name}.csv", index=False)
    (folder / f"{name}.md").write_text("Title, 0 dB: mean over folds.\n\n| a |\n")
    return folder / f"{name}.csv", folder / f"{name}.md"


@pytest.mark.parametrize("has_paper", [True, False])
def test_a_table_holds_every_value_once(tmp_path, has_paper):
    paper = 0.5 if has_paper else np.nan
    rows = [
        (snr, system, "macro", metric, ours, 0.01, paper, ours - paper)
        for snr in (20.0, 0.0)
        for system, ours in (("gap", 0.4), ("gwrp", 0.75))
        for metric in ("f1", "auc")
    ]
    table = read_table(*_write_table(tmp_path, "frame_by_snr", rows), 0.0)
    assert (table.title, table.caption) == ("Title, 0 dB", "Mean over folds.")
    assert [[cell.value for cell in row[:2]] for row in table.rows] == [
        ["gap", 20], ["gwrp", 20], ["gap", 0], ["gwrp", 0],
    ]  # fmt: skip
    headings = [(column.group, column.heading) for column in table.columns[2:]]
    values = [cell.value for cell in table.rows[1][2:]]
    if has_paper:
        assert headings[:4] == [
            ("F1", "ours"),
            ("F1", "paper"),
            ("F1", "difference"),
            ("AUC", "ours"),
        ]
        assert values == [0.75, 0.5, 0.25, 0.75, 0.5, 0.25]
        # The colour is full at a difference of 0.2, and half at half of it.
        assert [table.rows[n][4].share for n in (0, 1)] == [pytest.approx(-0.5), 1.0]
        assert table.rows[0][4].text == "−0.100"
    else:
        assert headings == [("", "F1"), ("", "AUC")]
        assert values == [0.75, 0.75]


def test_a_table_by_class_shows_one_snr_and_its_mean_at_the_foot(tmp_path):
    rows = [
        (snr, system, label, "f1", ours + snr, np.nan, np.nan, np.nan)
        for snr in (20.0, 0.0)
        for system in ("gap", "gwrp")
        for label, ours in (("b_b", 0.1), ("a", np.nan), ("macro", 0.3))
    ]
    table = read_table(*_write_table(tmp_path, "mask_by_class", rows), 0.0)
    assert [row[0].text for row in table.rows] == ["b b", "a"]
    assert [cell.value for cell in table.rows[0][1:]] == [0.1, 0.1]
    assert [(cell.text, cell.value) for cell in table.rows[1][1:]] == [("–", None)] * 2
    assert [cell.value for cell in table.foot[0]] == ["macro", 0.3, 0.3]


def test_the_probe_stands_beside_each_score(tmp_path):
    rows = [
        (snr, system, "macro", task, metric, variant, ours, 0.1, np.nan, np.nan)
        for task, metric in (("frame", "f1"), ("frame", "map"), ("event", "f1"))
        for variant, ours in (("published", 0.5), ("time_index", 0.25))
        for snr in (20.0, 0.0)
        for system in ("gap", "gwrp")
    ]
    columns = ["snr_db", "system", "class", "task", "metric", "variant"]
    columns += ["ours", "fold_std", "paper", "difference"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "time_index.csv", index=False)
    (tmp_path / "time_index.md").write_text("Title: mean.\n\n| a |\n")
    table = read_table(tmp_path / "time_index.csv", tmp_path / "time_index.md", 0.0)
    assert [column.heading for column in table.columns] == [
        *("system", "SNR", "frame F1", "frame F1 of the probe", "frame mAP"),
        *("frame mAP of the probe", "event F1", "event F1 of the probe"),
    ]
    assert [row[0].value for row in table.rows] == ["gap", "gwrp"] * 2
    assert [cell.value for cell in table.rows[3]] == ["gwrp", 0, *[0.5, 0.25] * 3]


def test_clips_as_recorded_have_no_snr(tmp_path):
    rows = [
        (np.nan, s, "macro", m, 0.5, np.nan, np.nan, np.nan) for s in "ab" for m in ("f1", "er")
    ]
    table = read_table(*_write_table(tmp_path, "event_by_snr", rows), None)
    assert [row[1].text for row in table.rows] == ["as recorded"] * 2
    assert [len(row) for row in table.rows] == [4, 4]


def test_stages_sum_jobs_and_the_dearest_comes_first(tmp_path):
    head = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
    for rule, name, wall_s, rss, cpu_s in (
        ("a_rule", "one", 10, "100", 5),
        ("a_rule", "in/two", 20.5, "300", 15),
        ("b_rule", "one", 3, "-", 90),
    ):
        path = tmp_path / rule / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{head}{wall_s}\tx\t{rss}\t0\t0\t0\t0\t0\t0\t{cpu_s}\n")
    table = report.stages(tmp_path)
    assert [[cell.value for cell in row] for row in table.rows] == [
        ["b_rule", 1, 3, 90, None],
        ["a_rule", 2, 30.5, 20, 300],
    ]
    assert [cell.value for cell in table.foot[0]] == ["all", 3, 33.5, 110, 300]
    assert [cell.text for cell in table.foot[0]][2:] == ["33.5 s", "1 min 50 s", "300 MB"]
    assert report.stages(tmp_path / "nothing").rows == []


def test_training_times_are_those_of_a_systems_own_trainings(tmp_path):
    folder = tmp_path / "train_model"
    folder.mkdir()
    for snr, system, seconds in (("0", "gwrp", 1.5), ("-5", "gwrp", 2), ("0", "gwrp_learned", 7)):
        path = folder / f"snr{snr}-{system}-fold1-seed0.tsv"
        path.write_text(f"s\th:m:s\n{seconds}\t0:00:00\n")
    found = report.training_times(tmp_path, ["gwrp", "gwrp_learned", "gmp"])
    assert found == {"gwrp": 3.5, "gwrp_learned": 7.0}
    assert report.training_times(tmp_path / "nothing", ["gwrp"]) == {}


def test_the_commit_is_that_of_the_folder_itself(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    assert report.git_commit(inner) is None

    def git(*arguments):
        who = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(tmp_path), *who, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-m", "first")
    commit = git("rev-parse", "HEAD")
    assert report.git_commit(tmp_path) == commit
    assert report.git_commit(inner) is None
    (tmp_path / "file").write_text("two")
    assert report.git_commit(tmp_path) == f"{commit}, with changes"


def test_every_deviation_of_the_docs_is_in_the_report_with_this_runs_values(
    repository, full_config
):
    text = (repository / "docs/explanation/deviations.md").read_text(encoding="utf-8")
    facts = (repository / "resources/deviations.yaml").read_text(encoding="utf-8")
    full_config["mixing"]["snr_on"] = "segment"
    sections = deviations.deviations_of(facts, full_config)
    n_rows = sum(line.startswith("| ") for line in text.splitlines())
    n_items = sum(line.startswith("- ") for line in text.splitlines())
    n_tables = text.count("\n|---")
    assert sum(len(section.rows) for section in sections) == n_rows - n_tables + n_items
    of_topic = {
        row[0]: dict(values)
        for row, values in zip(sections[0].rows, sections[0].values, strict=True)
    }
    assert of_topic["SNR of an event"] == {"mixing.snr_on": "segment"}
    assert of_topic["tag gate"] == {"metrics.tag_gate": "true"}
    assert of_topic["loss"] == {}
    assert of_topic["layout"] == {
        "mixing.onsets_s": "[0.5, 3.0, 5.5]",
        "mixing.events_per_mixture": "3",
        "mixing.overlap": "false",
    }


def test_every_key_that_the_docs_name_as_a_deviation_exists(repository, full_config):
    text = (repository / "resources/deviations.yaml").read_text(encoding="utf-8")
    names = "|".join(key for key, value in full_config.items() if isinstance(value, dict))
    for section in deviations.deviations_of(text, full_config):  # refuses a key that is none
        for row, values in zip(section.rows, section.values, strict=True):
            spans = re.findall(r"`([^`]+)`", " ".join(row))
            named = {span.split(":")[0] for span in spans}
            of_sections = {key for key in named if re.fullmatch(rf"({names})\.[a-z_.]+", key)}
            files = {key for key in of_sections if key.endswith((".csv", ".json"))}
            keys = {key for key, _ in values}
            assert of_sections - files <= keys <= named, row


def test_a_key_that_no_config_has_is_refused():
    text = "sections: [{heading: One, rows: [{difference: a, keys: [b.c]}]}]"
    assert deviations.deviations_of(text, {"b": {"c": None}})[0].values == [[("b.c", "null")]]
    with pytest.raises(KeyError, match=r"b\.c"):
        deviations.deviations_of(text, {"b": 1})


def test_tables_and_lists_of_deviations_become_markdown():
    text = """
introduction: Some words.
sections:
  - heading: One
    rows: [{difference: "**a** `x` goes on"}, {difference: b}]
  - heading: Two
    columns: [p, q]
    rows: [{p: "1", q: "2"}]
"""
    one, two = deviations.deviations_of(text, {})
    assert one.rows == [["**a** `x` goes on"], ["b"]]
    assert (two.columns, two.rows) == (["p", "q"], [["1", "2"]])
    assert deviations.docs_page(text).split("\n", 2)[2] == (
        "Some words.\n\n## One\n\n- **a** `x` goes on\n- b\n\n"
        "## Two\n\n| p | q |\n|---|---|\n| 1 | 2 |\n"
    )


def test_inline_markdown_escapes_first():
    assert render.inline("`<b>` **x** <i>") == "<code>&lt;b&gt;</code> <strong>x</strong> &lt;i&gt;"


def test_changed_keys_are_those_that_differ():
    defaults = {"a": 1, "b": {"c": [1, 2], "d": {"e": None}}, "f": {"g": 1}}
    config = {"a": 1, "b": {"c": [1, 3], "d": {"e": 2}}, "f": {"g": 1}}
    assert changed_keys(defaults, config) == [["b.c", [1, 2], [1, 3]], ["b.d.e", None, 2]]


def test_the_docs_state_the_limit_of_embedded_sounds(repository):
    text = (repository / "docs/reference/files.md").read_text(encoding="utf-8")
    assert f"more than {EMBEDDED_SOUNDS_LIMIT / 1e6:g} MB" in text


def test_captions_are_those_of_snakemakes_report(full_config, tmp_path):
    declared = find_figures()["example_mixture"]
    png = tmp_path / "example_mixture.png"
    png.write_bytes(b"picture")
    made = report.figure(declared.name, png, declared.caption_of(full_config))
    assert "at 0 dB" in made["caption"]
    assert made["name"] == "example_mixture"
