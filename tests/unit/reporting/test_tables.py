"""The printed tables: means over folds, the paper's values, layout."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scored_fold import SETTINGS

from tfseg.errors import TableError
from tfseg.evaluation.metric_names import METRICS
from tfseg.evaluation.records import COLUMNS, MetricSettings
from tfseg.reporting.tables.layout import Layout
from tfseg.reporting.tables.printed import caption, printed_grid, write
from tfseg.reporting.tables.registry import TABLES, table_files
from tfseg.reporting.tables.values import read_paper, table_rows


def layout(**changes):
    values = {
        "systems": ["gap", "gwrp"],
        "classes": ["Bus", "Hi-hat"],
        "snr_db": [20, 0],
        "by_class_snr_db": 0,
        "metric_settings": SETTINGS,
    }
    return Layout(**values | changes)


@pytest.fixture
def metrics():
    """Known values: F1 is system + class / 100, +-0.1 between two folds; two repeats."""
    rows = []
    for snr in (20, 0):
        for system, base in (("gap", 0.2), ("gwrp", 0.5)):
            for label, extra in (("Bus", 0.01), ("Hi-hat", 0.02), ("macro", 0.015)):
                for seed in (0, 1):
                    by_fold = {"1": base + extra - 0.1, "2": base + extra + 0.1}
                    by_fold["all"] = by_fold["pooled"] = base + extra
                    for fold, value in by_fold.items():
                        rows += [
                            (
                                "tagging",
                                "f1",
                                label,
                                snr,
                                system,
                                fold,
                                seed,
                                "published",
                                value,
                                5,
                            ),
                            ("event", "er", label, snr, system, fold, seed, "published", value, 5),
                        ]
                        if label == "macro":
                            row = ("event", "er", label, snr, system, fold, seed, "overall", 9, 5)
                            rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.fixture
def paper():
    return pd.DataFrame(
        {
            "table": ["II", "III", "V"],
            "task": ["tagging", "tagging", "frame"],
            "metric": "f1",
            "class": ["macro", "Bus", "macro"],
            "snr_db": [20, 0, 20],
            "system": "gwrp",
            "paper": [0.635, 0.342, 0.511],
        }
    )


def one(table, **where):
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_values_are_means_over_folds_and_their_spread(metrics):
    table = table_rows(TABLES["tagging_by_snr"], metrics, None, layout())
    row = one(table, snr_db=20, system="gwrp", metric="f1")
    assert row["ours"] == pytest.approx(0.515)
    assert row["fold_std"] == pytest.approx(np.std([0.415, 0.615], ddof=1))
    assert table["paper"].isna().all()


def test_the_paper_stands_where_it_printed_a_value(metrics, paper):
    by_snr = table_rows(TABLES["tagging_by_snr"], metrics, paper, layout())
    row = one(by_snr, snr_db=20, system="gwrp", metric="f1")
    assert row["paper"] == 0.635
    assert row["difference"] == pytest.approx(0.515 - 0.635)
    assert by_snr["paper"].notna().sum() == 1
    by_class = table_rows(TABLES["tagging_by_class"], metrics, paper, layout())
    assert one(by_class, snr_db=0, system="gwrp", **{"class": "Bus"})["paper"] == 0.342
    assert by_class["paper"].notna().sum() == 1


def test_the_error_rate_is_the_one_the_config_names(metrics):
    def shown(settings):
        table = table_rows(TABLES["event_by_snr"], metrics, None, layout(metric_settings=settings))
        return one(table, snr_db=0, system="gap", metric="er")["ours"]

    assert shown(SETTINGS) == pytest.approx(0.215)
    assert shown(MetricSettings(**vars(SETTINGS) | {"error_rate": "overall"})) == 9


def test_a_value_that_does_not_exist_is_a_dash(metrics):
    table = table_rows(TABLES["tagging_by_snr"], metrics, None, layout())
    _, rows = printed_grid(TABLES["tagging_by_snr"], table, layout())
    assert rows[0] == ["gap", "0.215 ± 0.141", "–", "–", "0.215 ± 0.141", "–", "–"]


def test_by_class_prints_one_snr_and_every_class(metrics):
    table = table_rows(TABLES["tagging_by_class"], metrics, None, layout())
    headings, rows = printed_grid(TABLES["tagging_by_class"], table, layout())
    assert headings == ["Class", "gap", "gwrp"]
    assert [row[0] for row in rows] == ["Bus", "Hi-hat", "macro"]
    assert set(table["snr_db"]) == {20, 0}


def test_every_printed_value_of_the_paper_finds_its_table():
    root = Path(__file__).parents[3]
    printed = read_paper(root / "resources/paper_tables/tfseg2019.csv")
    empty = pd.DataFrame([("mask", "f1", "macro", 0, "gmp", "all", 0, "published", 0.5, 1)])
    empty.columns = COLUMNS
    found = 0
    whole = layout(
        systems=list(printed["system"].unique()),
        classes=[label for label in printed["class"].unique() if label != "macro"],
        snr_db=[20, 10, 0],
    )
    for task in ("tagging", "frame", "event", "mask"):
        for by in ("snr", "class"):
            table = table_rows(TABLES[f"{task}_by_{by}"], empty, printed, whole)
            found += int(table["paper"].notna().sum())
    assert found == len(printed)


def test_printed_values_of_the_icassp_paper_find_their_table():
    root = Path(__file__).parents[3]
    printed = read_paper(root / "resources/paper_tables/jsc2018.csv")
    empty = pd.DataFrame([("mask", "f1", "macro", 0, "gmp", "all", 0, "published", 0.5, 1)])
    empty.columns = COLUMNS
    systems = list(printed["system"].unique())
    whole = layout(
        systems=systems,
        mask_systems=[name for name in systems if name not in ("no_separation", "ibm", "irm")],
        classes=[label for label in printed["class"].unique() if label != "macro"],
        snr_db=sorted(printed["snr_db"].unique()),
        paper_name="jsc2018",
    )
    found = 0
    for name in ("separation", "frame_eer"):
        found += int(table_rows(TABLES[name], empty, printed, whole)["paper"].notna().sum())
    assert found == len(printed)


def test_files_are_readable_by_their_readers(metrics, paper, tmp_path):
    for ending in ("csv", "md", "tex"):
        write(tmp_path / f"tagging_by_class.{ending}", metrics, paper, layout())
    assert len(pd.read_csv(tmp_path / "tagging_by_class.csv")) == 2 * 2 * 3
    markdown = (tmp_path / "tagging_by_class.md").read_text()
    widths = {line.count("|") for line in markdown.splitlines() if line.startswith("|")}
    assert widths == {4}
    assert "0.510 ± 0.141 (0.342)" in markdown
    latex = (tmp_path / "tagging_by_class.tex").read_text()
    assert latex.count(r"\begin{tabular}{lrr}") == 1
    assert "±" not in latex
    assert "_" not in latex.replace(r"\_", "").replace("\\usepackage", "")


def test_a_paper_table_of_another_layout_is_refused(tmp_path):
    path = tmp_path / "paper.csv"
    path.write_text("task,value\nmask,1\n")
    with pytest.raises(TableError, match=r"paper\.csv: expected the columns"):
        read_paper(path)


# Tables with a row per system (JSC Tables 1 and 2)


@pytest.fixture
def separation():
    rows = []
    for system, base in (("no_separation", -5.0), ("ibm", 15.0), ("irm", 16.0), ("gwrp", 4.0)):
        for label, extra in (("Bus", 0.5), ("Hi-hat", -0.5), ("macro", 0.0)):
            for metric, more in (("sdr", 0), ("sir", 1), ("sar", 2), ("silent_estimates", 0)):
                for fold, spread in (("1", -1), ("2", 1), ("all", 0)):
                    value = 3 if metric == "silent_estimates" else base + extra + more + spread
                    key = ("separation", metric, label, 0, system, fold, 0, "published")
                    rows.append((*key, value, 5))
    return pd.DataFrame(rows, columns=COLUMNS)


PAPER = pd.DataFrame(
    [
        ("1", "separation", "sdr", "Bus", 0, "gwrp", 13.36),
        ("1", "separation", "sdr", "macro", 0, "no_separation", -5.89),
        ("2", "frame", "eer", "macro", 0, "dnn", 0.29),
    ],
    columns=["table", "task", "metric", "class", "snr_db", "system", "paper"],
)


def _separation_layout(**changes):
    return layout(
        snr_db=[0], mask_systems=["gwrp"], paper_name="jsc2018", n_separated=20, **changes
    )


def test_separation_has_a_row_for_each_system_and_reference(separation):
    table = table_rows(TABLES["separation"], separation, PAPER, _separation_layout())
    assert list(dict.fromkeys(table["system"])) == ["no_separation", "ibm", "irm", "gwrp"]
    cell = table.set_index(["system", "class", "metric"]).loc["gwrp", "Bus", "sdr"]
    assert (cell["ours"], cell["fold_std"], cell["paper"]) == (4.5, np.sqrt(2), 13.36)
    assert cell["difference"] == pytest.approx(4.5 - 13.36)


def test_separation_is_printed_with_classes_side_by_side(separation, tmp_path):
    path = tmp_path / "separation.md"
    write(path, separation, PAPER, _separation_layout())
    text = path.read_text()
    assert "| System | Bus SDR | Bus SIR | Bus SAR | Hi-hat SDR |" in text
    assert "20 mixtures of each fold" in text
    assert "ICASSP 2018, Table 1" in text
    row = next(line for line in text.splitlines() if line.startswith("| gwrp"))
    assert row.split(" | ")[1] == "4.500 ± 1.414 (13.360)"
    assert row.rstrip(" |").endswith("3.000 ± 0.000")


def test_many_classes_are_printed_as_their_mean_only(separation):
    many = _separation_layout(classes=[f"c{i}" for i in range(7)])
    table = table_rows(TABLES["separation"], separation, None, many)
    headings, rows = printed_grid(TABLES["separation"], table, many)
    assert headings[:3] == ["System", "mean SDR", "mean SIR"]
    assert rows[0][1] == "-5.000 ± 1.414"
    assert len(table) == 4 * 8 * 7  # the CSV holds every class


def test_equal_error_rates_have_a_row_for_each_system(metrics):
    eer = pd.DataFrame(
        [("frame", "eer", k, 0, "gap", "all", 0, "published", 0.25, 3) for k in ("Bus", "macro")],
        columns=COLUMNS,
    )
    table = table_rows(TABLES["frame_eer"], eer, PAPER, _separation_layout())
    assert set(table["metric"]) == {"eer"}
    headings, rows = printed_grid(TABLES["frame_eer"], table, _separation_layout())
    assert headings == ["System", "Bus EER", "Hi-hat EER", "mean EER"]
    assert rows == [["gap", "0.250", "–", "0.250"], ["gwrp", "–", "–", "–"]]


@pytest.fixture
def probed():
    """Values of gap: of the system 0.6, of the probe 0.4, events of it 0.2; two folds."""
    rows = [
        (task, metric, label, snr, "gap", fold, 0, variant, base + spread, 3)
        for snr in (20, 0)
        for label in ("Bus", "macro")
        for task, metric, variant, base in (
            ("frame", "f1", "published", 0.6),
            ("frame", "f1", "time_index", 0.4),
            ("frame", "map", "time_index", 0.3),
            ("event", "f1", "time_index", 0.2),
        )
        for fold, spread in (("1", -0.1), ("2", 0.1), ("all", 0), ("pooled", 0.05))
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_every_system_stands_beside_the_probe_that_knows_the_time(probed, paper, tmp_path):
    table = table_rows(TABLES["time_index"], probed, None, layout())
    assert list(table.columns) == [
        *("snr_db", "system", "class", "task", "metric", "variant"),
        *("ours", "fold_std", "paper", "difference"),
    ]
    assert len(table) == 2 * 2 * 6
    assert table["paper"].isna().all()
    row = one(table, snr_db=0, system="gap", task="frame", metric="f1", variant="time_index")
    assert (row["ours"], row["class"]) == (0.4, "macro")
    assert row["fold_std"] == pytest.approx(np.std([0.3, 0.5], ddof=1))
    headings, rows = printed_grid(TABLES["time_index"], table, layout())
    assert headings == [
        *("SNR", "System", "frame F1", "frame F1 of the probe", "frame mAP"),
        *("frame mAP of the probe", "event F1", "event F1 of the probe"),
    ]
    assert rows[:2] == [
        [
            *("20 dB", "gap", "0.600 ± 0.141", "0.400 ± 0.141", "–"),
            *("0.300 ± 0.141", "–", "0.200 ± 0.141"),
        ],
        ["20 dB", "gwrp", *"––––––"],
    ]
    for ending in ("csv", "md", "tex"):
        write(tmp_path / f"time_index.{ending}", probed, paper, layout())
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "time_index.csv"), table, check_dtype=False
    )
    text = (tmp_path / "time_index.md").read_text()
    assert text.startswith("Onset prior: mean over folds")
    assert "tags above 0.1, frames above 0.1; events with a collar of 0.2 s" in text
    assert "_" not in (tmp_path / "time_index.tex").read_text().replace("\\_", "")


def test_clips_have_no_probe(metrics):
    clips = layout(snr_db=[None], by_class_snr_db=None)
    as_recorded = metrics.assign(snr_db=np.nan, task="frame")
    headings, rows = printed_grid(
        TABLES["time_index"], table_rows(TABLES["time_index"], as_recorded, None, clips), clips
    )
    assert headings[0] == "System"
    assert [row[2] for row in rows] == ["–", "–"]


def test_clips_without_snr_have_their_own_name(metrics):
    as_recorded = metrics[metrics["snr_db"] == 0].assign(snr_db=np.nan)
    clips = layout(snr_db=[None], by_class_snr_db=None)
    table = table_rows(TABLES["tagging_by_snr"], as_recorded, None, clips)
    assert table.loc[table["metric"] == "f1", "ours"].tolist() == pytest.approx([0.215, 0.515])
    headings, rows = printed_grid(TABLES["tagging_by_snr"], table, clips)
    assert headings[1] == "as recorded F1"
    assert rows[1][1].startswith("0.515 ± ")
    assert "by SNR" not in caption(TABLES["tagging_by_snr"], clips, has_paper=False)


def test_tuned_scores_stand_beside_the_published_ones(metrics, tmp_path):
    tuned = metrics.assign(variant="tuned", value=metrics["value"] + 0.25)
    tuned = tuned[tuned["system"] == "gwrp"]
    table = table_rows(TABLES["tuned_by_snr"], pd.concat([metrics, tuned]), None, layout())
    row = one(table, snr_db=20, system="gwrp", metric="tagging_f1")
    assert row["ours"] == pytest.approx(0.515)
    row = one(table, snr_db=20, system="gwrp", metric="tagging_f1_tuned")
    assert row["ours"] == pytest.approx(0.765)
    assert row["fold_std"] == pytest.approx(np.std([0.415, 0.615], ddof=1))
    assert np.isnan(one(table, snr_db=0, system="gap", metric="tagging_f1_tuned")["ours"])
    for ending in ("csv", "md", "tex"):
        write(tmp_path / f"tuned_by_snr.{ending}", pd.concat([metrics, tuned]), None, layout())
    text = (tmp_path / "tuned_by_snr.md").read_text()
    assert "| 20 dB tagging F1 | 20 dB tagging F1 tuned |" in text
    assert "| gap | 0.215 ± 0.141 | – |" in text
    assert "| gwrp | 0.515 ± 0.141 | 0.765 ± 0.141 |" in text
    saved = pd.read_csv(tmp_path / "tuned_by_snr.csv")
    assert list(saved.columns) == list(table_rows(TABLES["mask_by_snr"], metrics, None, layout()))


def test_where_nothing_was_tuned_there_is_a_dash(metrics, tmp_path):
    write(tmp_path / "tuned_by_snr.md", metrics, None, layout())
    assert "| gwrp | 0.515 ± 0.141 | – |" in (tmp_path / "tuned_by_snr.md").read_text()


# Declarations


def test_every_table_shows_metrics_of_their_tasks():
    for table in TABLES.values():
        for column in table.columns:
            assert column.task in METRICS[column.metric].tasks, (table.name, column)


def test_only_runs_that_tune_have_a_table_of_it():
    usual, tuned = (table_files("tables", tunes=tunes) for tunes in (False, True))
    assert {*tuned} - {*usual} == {f"tuned_by_snr_{ending}" for ending in ("csv", "md", "tex")}
    assert usual["frame_eer_md"] == "tables/frame_eer.md"


def test_latex_escapes_what_it_gives_a_meaning(metrics, tmp_path):
    metrics["class"] = metrics["class"].replace("Bus", "C#_$5~^{a}&\\%")
    path = tmp_path / "tagging_by_class.tex"
    write(path, metrics, None, layout(classes=["C#_$5~^{a}&\\%", "Hi-hat"]))
    row = next(line for line in path.read_text().splitlines() if line.startswith("C\\#"))
    name = r"C\#\_\$5\textasciitilde{}\textasciicircum{}\{a\}\&\textbackslash{}\%"
    assert row.startswith(name + r" & 0.210 $\pm$ 0.141 & ")
