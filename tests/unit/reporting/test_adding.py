"""The docs' examples of a new metric and of a new table, followed exactly in a copy."""

import json
import shutil
import subprocess
import sys

import pytest
from docs_example import follow

# Rules that a new metric or table must not run again.
TRAINING = {"extract_features", "train_model", "infer_scores", "tune_detection", "detect_events"}
DIGESTS = """
import json, sys
from pathlib import Path
from tfseg.run.digest import code_digest
print(json.dumps({path.stem: code_digest(path) for path in Path("workflow_scripts").glob("*.py")}))
"""
METRIC = """
import json, sys
import tfseg.reporting.tables.registry
light = not {"pandas", "numpy"} & set(sys.modules)
import numpy as np
from tfseg.evaluation.metric_names import METRICS, docs_table
from tfseg.evaluation.own_metrics import own_metrics
from tfseg.evaluation.records import MetricSettings
from tfseg.evaluation.scoring import FoldScores

settings = MetricSettings(
    tag_threshold=0.5, frame_threshold=0.1, mask_threshold=0.1, tag_gate=True, collar_s=0.2,
    offset_fraction=0.5, error_rate="class_wise",
)
def fold(name, tags, target):
    clips = [f"{name}{i}" for i in range(len(tags))]
    return FoldScores(clips, np.array(tags), np.array(target, dtype=bool), [], [], {}, {})
folds = {
    1: fold("a", [[0.9, 0.9], [0.1, 0.9]], [[1, 1], [0, 1]]),
    2: fold("b", [[0.1, 0.9], [0.9, 0.1], [0.1, 0.1]], [[1, 1], [0, 0], [0, 0]]),
}
rows = own_metrics(folds, ["x", "y"], settings, snr_db=0.0, system="gap", seed=0)
rows = rows.astype(object).where(rows.notna(), None)
print(json.dumps(
    [light, METRICS["balanced_accuracy"].heading, docs_table(), rows.values.tolist()]
))
"""
TABLE = """
import json, sys
import tfseg.reporting.tables.registry as registry
light = not {"pandas", "numpy"} & set(sys.modules)
import pandas as pd
from tfseg.evaluation.records import COLUMNS, MetricSettings
from tfseg.reporting.pages.result_tables import read_table
from tfseg.reporting.tables.layout import Layout
from tfseg.reporting.tables.printed import write

settings = MetricSettings(
    tag_threshold=0.5, frame_threshold=0.1, mask_threshold=0.1, tag_gate=True, collar_s=0.2,
    offset_fraction=0.5, error_rate="class_wise",
)
layout = Layout(["gap"], ["x"], [20.0], 20.0, settings)
metrics = pd.DataFrame(
    [("frame", "precision", "macro", 20.0, "gap", "all", 0, "published", 0.25, 1)], columns=COLUMNS
)
for ending in ("csv", "md"):
    write(f"frame_errors.{ending}", metrics, None, layout)
shown = read_table("frame_errors.csv", "frame_errors.md", 20.0)
print(json.dumps([
    light, list(registry.table_files("t", tunes=False).values()), open("frame_errors.md").read(),
    shown.title, [column.heading for column in shown.columns],
]))
"""


@pytest.fixture
def copy(repository, tmp_path):
    """The library and the scripts, to be changed."""
    shutil.copytree(
        repository / "workflow_scripts",
        tmp_path / "workflow_scripts",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return tmp_path


def answer(copy, code):
    """Output of a program that runs on the copy, as JSON."""
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=copy,
        env={"PYTHONPATH": str(copy / "workflow_scripts"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(result.stdout)


def changed(before, after):
    """Names of the rules whose code has changed."""
    return {name for name in before if before[name] != after[name]}


def test_a_new_metric_takes_two_files_and_no_training(repository, copy):
    before = answer(copy, DIGESTS)
    page = (repository / "docs/how-to/add_a_metric.md").read_text(encoding="utf-8")
    assert len(follow(page, copy)) == 2
    rules = changed(before, answer(copy, DIGESTS))
    assert "score_system" in rules
    assert {*before} >= TRAINING
    assert not rules & TRAINING
    light, heading, table, rows = answer(copy, METRIC)
    assert light, "reading the declarations of tables loads pandas or numpy"
    assert heading == "bal. acc."
    assert "| `balanced_accuracy` (bal. acc.) | tagging | 0 to 1 | higher | mean of" in table
    assert {tuple(row[:2]) + tuple(row[6:8]) for row in rows} == {
        ("tagging", "micro_ap", 0, "published"),
        ("tagging", "balanced_accuracy", 0, "published"),
    }
    found = {(row[5], row[2]): (row[8], row[9]) for row in rows}
    assert found == {
        ("1", "x"): (1.0, 1),
        ("1", "y"): (None, 2),
        ("1", "macro"): (1.0, 1),
        ("2", "x"): (0.25, 1),
        ("2", "y"): (1.0, 1),
        ("2", "macro"): (0.625, 2),
        ("all", "x"): (0.625, 2),
        ("all", "y"): (1.0, 3),
        ("all", "macro"): (0.8125, 2),
        ("pooled", "x"): (pytest.approx(0.5 * (1 / 2 + 2 / 3)), 2),
        ("pooled", "y"): (1.0, 3),
        ("pooled", "macro"): (pytest.approx((0.5 * (1 / 2 + 2 / 3) + 1) / 2), 2),
    }


def test_a_new_table_takes_two_files_and_no_scoring(repository, copy):
    before = answer(copy, DIGESTS)
    page = (repository / "docs/how-to/add_a_table.md").read_text(encoding="utf-8")
    assert len(follow(page, copy)) == 2
    assert changed(before, answer(copy, DIGESTS)) == {"make_tables", "make_report"}
    light, files, markdown, title, headings = answer(copy, TABLE)
    assert light, "reading the declarations loads pandas or numpy"
    assert "t/frame_errors.csv" in files
    assert markdown.startswith("Precision and recall of frames: mean over folds ±")
    assert "| gap | 0.250 | – |" in markdown
    assert (title, headings) == (
        "Precision and recall of frames",
        ["system", "SNR", "precision", "recall"],
    )
