"""The printed tables: means over folds, the paper's values, layout."""

import numpy as np
import pandas as pd
import pytest

from tfseg import tables
from tfseg.metrics.records import COLUMNS, MetricSettings

SETTINGS = MetricSettings(
    tag_threshold=0.1,
    frame_threshold=0.1,
    mask_threshold=0.1,
    tag_gate=True,
    collar_s=0.2,
    offset_fraction=0.5,
    error_rate="class_wise",
)


def layout(**changes):
    values = {
        "systems": ["gap", "gwrp"],
        "classes": ["Bus", "Hi-hat"],
        "snr_db": [20, 0],
        "by_class_snr_db": 0,
        "metric_settings": SETTINGS,
    }
    return tables.Layout(**values | changes)


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
    table = tables.table_rows(metrics, None, layout(), "tagging", "snr")
    row = one(table, snr_db=20, system="gwrp", metric="f1")
    assert row["ours"] == pytest.approx(0.515)
    assert row["fold_std"] == pytest.approx(np.std([0.415, 0.615], ddof=1))
    assert table["paper"].isna().all()


def test_the_paper_stands_where_it_printed_a_value(metrics, paper):
    by_snr = tables.table_rows(metrics, paper, layout(), "tagging", "snr")
    row = one(by_snr, snr_db=20, system="gwrp", metric="f1")
    assert row["paper"] == 0.635
    assert row["difference"] == pytest.approx(0.515 - 0.635)
    assert by_snr["paper"].notna().sum() == 1
    by_class = tables.table_rows(metrics, paper, layout(), "tagging", "class")
    assert one(by_class, snr_db=0, system="gwrp", **{"class": "Bus"})["paper"] == 0.342
    assert by_class["paper"].notna().sum() == 1


def test_the_error_rate_is_the_one_the_config_names(metrics):
    def shown(settings):
        table = tables.table_rows(metrics, None, layout(metric_settings=settings), "event", "snr")
        return one(table, snr_db=0, system="gap", metric="er")["ours"]

    assert shown(SETTINGS) == pytest.approx(0.215)
    assert shown(MetricSettings(**vars(SETTINGS) | {"error_rate": "overall"})) == 9


def test_a_value_that_does_not_exist_is_a_dash(metrics):
    table = tables.table_rows(metrics, None, layout(), "tagging", "snr")
    _, rows = tables.printed_grid(table, layout(), "snr")
    assert rows[0] == ["gap", "0.215 ± 0.141", "–", "–", "0.215 ± 0.141", "–", "–"]


def test_by_class_prints_one_snr_and_every_class(metrics):
    table = tables.table_rows(metrics, None, layout(), "tagging", "class")
    headings, rows = tables.printed_grid(table, layout(), "class")
    assert headings == ["Class", "gap", "gwrp"]
    assert [row[0] for row in rows] == ["Bus", "Hi-hat", "macro"]
    assert set(table["snr_db"]) == {20, 0}


def test_every_printed_value_of_the_paper_finds_its_table():
    root = tables.Path(__file__).parents[2]
    printed = tables.read_paper(root / "resources/paper_tables/tfseg2019.csv")
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
            table = tables.table_rows(empty, printed, whole, task, by)
            found += int(table["paper"].notna().sum())
    assert found == len(printed)


def test_files_are_readable_by_their_readers(metrics, paper, tmp_path):
    for ending in ("csv", "md", "tex"):
        tables.write(tmp_path / f"tagging_by_class.{ending}", metrics, paper, layout())
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
    with pytest.raises(tables.TableError, match=r"paper\.csv: expected the columns"):
        tables.read_paper(path)
