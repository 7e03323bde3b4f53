"""A real small run of the DAG: its results, and what runs again after a change."""

import json
import os
import re
import shutil
from pathlib import Path

import onnxruntime
import pandas as pd
import pytest
import yaml
from workflow_project import REPOSITORY, TINY, Project

pytestmark = pytest.mark.workflow
AFTER_SCORES = {
    "score_system": 4,
    "collect_metrics": 1,
    "compare_systems": 1,
    "make_leaderboard": 1,
    "make_tables": 1,
    "plot_figure": 1,  # metrics_by_snr
    "make_report": 1,
}


@pytest.fixture
def changed(finished, tmp_path):
    """A copy of the finished run to change; modification times are kept."""
    folder = tmp_path / "changed"
    shutil.copytree(finished.folder, folder, symlinks=True)
    return Project(folder, TINY)


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_every_contracted_file_is_there(finished):
    results = finished.folder / "results" / "tiny"
    for name in (
        "corpus/events.csv",
        "corpus/scenes.csv",
        "corpus/attribution.csv",
        "mixtures/mixtures.csv",
        "mixtures/events.csv",
        "mixtures/stems/fold1-0.h5",
        "features/snr10/fold2-1.h5",
        "models/snr0/gwrp/fold1/seed0/model.safetensors",
        "models/snr0/gwrp/fold1/seed0/model.json",
        "models/snr0/gwrp/fold1/seed0/history.csv",
        "models/snr0/gwrp/fold1/seed0/detection.json",
        "models/snr0/gwrp/fold1/seed0/model_card.md",
        "scores/snr10/gap/fold2/seed0/scores.h5",
        "scores/snr10/gap/fold2/seed0/mask_counts.h5",
        "events/snr10/gap/fold2/seed0.tsv",
        "metrics.csv",
        "intervals.csv",
        "comparisons.csv",
        "tables/mask_by_class.tex",
        "tables/leaderboard.csv",
        "figures/example_masks.png",
        "figures/masks_by_class.svg",
        "figures/f1_by_threshold.png",
        "examples/listening-snr0-fold1.h5",
        "report.html",
        "separation/snr10/fold2/seed0.csv",
        "tables/separation.md",
        "tables/frame_eer.csv",
        "tables/time_index.csv",
        "logs/train_model/snr0-gwrp-fold1-seed0.log",
        "benchmarks/train_model/snr0-gwrp-fold1-seed0.tsv",
    ):
        assert (results / name).is_file(), name
    metrics = pd.read_csv(results / "metrics.csv")
    assert set(metrics["snr_db"]) == {10, 0}
    references = {"no_separation", "ibm", "irm"}
    assert set(metrics["system"]) == {"gap", "gwrp"} | references
    assert set(metrics.loc[metrics["system"].isin(references), "task"]) == {"separation"}
    log = (results / "logs/train_model/snr0-gwrp-fold1-seed0.log").read_text()
    assert "device: " in log


def test_nothing_is_left_beside_the_results(finished):
    leftovers = [p for p in (finished.folder / "results").rglob("*") if ".part" in p.name]
    assert leftovers == []


def test_folds_share_no_recording(finished):
    results = finished.folder / "results" / "tiny"
    mixtures = pd.read_csv(results / "mixtures/mixtures.csv")
    events = pd.read_csv(results / "mixtures/events.csv").merge(mixtures, on="mixture")
    groups = pd.read_csv(results / "corpus/events.csv").set_index("path")["group"]
    events["group"] = events["event"].map(groups)
    assert (events.groupby("group")["fold"].nunique() == 1).all()
    assert (mixtures.groupby("scene")["fold"].nunique() == 1).all()


def test_running_again_has_nothing_to_do(finished):
    assert finished.planned() == {}


def test_touching_and_commenting_runs_nothing(changed):
    for path in (changed.folder / "workflow_scripts").rglob("*.py"):
        path.write_text(path.read_text() + "\n# a remark\n")
    for path in (changed.folder / "results" / "tiny" / "features").rglob("*.h5"):
        os.utime(path)
    assert changed.planned() == {}


def test_one_config_key_runs_what_depends_on_it(changed, tmp_path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(yaml.safe_dump({"postprocessing": {"high_threshold": 0.25}}))
    changed.overlays.append(str(overlay))
    # A model's thresholds are beside its weights, which are not trained again.
    assert changed.planned() == {
        "detect_events": 8,
        "describe_model": 8,
        **AFTER_SCORES,
        "infer_listening": 1,
    }


def test_other_numbers_of_processes_run_nothing(changed, tmp_path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(yaml.safe_dump({key: {"processes": 3} for key in ("metrics", "separation")}))
    changed.overlays.append(str(overlay))
    assert changed.planned() == {}


def test_one_library_module_runs_what_depends_on_it(changed):
    library = changed.folder / "workflow_scripts" / "tfseg"
    replace(library / "reporting/figures/drawing.py", "dpi=200", "dpi=100")
    assert changed.planned() == {"plot_figure": 7, "make_report": 1}


def test_the_module_of_a_figure_draws_that_one_anew(changed):
    figures = changed.folder / "workflow_scripts/tfseg/reporting/figures"
    replace(figures / "training.py", "linewidth=1.8", "linewidth=1.9")
    assert changed.planned() == {"plot_figure": 1, "make_report": 1}


def test_a_template_draws_the_report_anew_and_nothing_else(changed):
    templates = changed.folder / "workflow_scripts" / "tfseg" / "reporting" / "pages" / "templates"
    replace(templates / "page.css", "1.7rem", "1.8rem")
    assert changed.planned() == {"make_report": 1}


def test_a_module_behind_a_module_counts(changed):
    library = changed.folder / "workflow_scripts" / "tfseg"
    replace(library / "evaluation" / "event_based.py", '"optimal"', '"greedy"')
    # F1 curves and the choice of clips import that module too, but use no changed code.
    assert changed.planned() == AFTER_SCORES


def test_a_function_behind_several_modules_counts_for_all_that_use_it(changed):
    library = changed.folder / "workflow_scripts" / "tfseg"
    replace(
        library / "inference" / "histogram.py",
        "class ScoreHistogram(RankedCounts):",
        "class ScoreHistogram(RankedCounts):\n    CHANGED = 1\n",
    )
    planned = changed.planned()
    assert planned["infer_scores"] == 8
    assert planned["score_system"] == 4
    assert "train_model" not in planned


def test_a_deleted_intermediate_is_made_again_with_what_depends_on_it(changed):
    results = changed.folder / "results" / "tiny"
    (results / "scores/snr0/gwrp/fold1/seed0/scores.h5").unlink()
    assert changed.planned() == {
        "infer_scores": 1,
        "detect_events": 1,
        "score_system": 1,
        "collect_metrics": 1,
        "compare_systems": 1,
        "make_leaderboard": 1,
        "make_tables": 1,
        "plot_figure": 2,  # metrics_by_snr and f1_by_threshold
        "infer_listening": 1,
        "make_report": 1,
    }


def test_a_damaged_intermediate_is_named_and_made_again_alone(changed):
    results = changed.folder / "results" / "tiny"
    before = changed.result_bytes()
    stems = results / "mixtures/stems/fold1-0.h5"
    content = bytearray(stems.read_bytes())
    content[len(content) // 2] ^= 0xFF
    stems.write_bytes(content)
    features = results / "features/snr0/fold1-0.h5"
    features.unlink()
    result = changed.snakemake(check=False)
    assert result.returncode != 0
    assert "stems/fold1-0.h5: expected a complete HDF5 file" in result.text
    stems.unlink()
    assert changed.planned()["render_stems"] == 1
    changed.snakemake("--until", "extract_features")
    for path in (stems, features):
        name = str(path.relative_to(changed.folder / "results"))
        assert path.read_bytes() == before[name]


def test_models_are_exported_for_a_run_or_from_a_folder(changed, tmp_path):
    assert changed.planned("export") == {"export_model": 8, "export": 1}
    source = changed.folder / "results/tiny/models/snr0/gwrp/fold1/seed0"
    folder = shutil.copytree(source, tmp_path / "my best model")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    changed.snakemake("export", "--config", f"model={folder}")
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    assert [output.name for output in session.get_outputs()] == ["tags", "frames", "masks"]
    (folder / "model.onnx").unlink()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert not list((changed.folder / "results").rglob("model.onnx"))


def test_snakemakes_own_report_names_every_result(finished, tmp_path):
    path = tmp_path / "snakemake.html"
    finished.snakemake("--report", str(path))
    text = path.read_text()
    labels = re.findall(r'"labels": (\{[^}]*\})', text)
    assert len(labels) == len(set(labels))
    named = [json.loads(one) for one in labels]
    stems = {path.stem for path in (finished.folder / "results/tiny/tables").iterdir()}
    endings = ("csv", "md", "tex")
    tables = {(one["table"], one["format"]) for one in named if "format" in one}
    assert tables == {(stem.replace("_", " "), ending) for stem in stems for ending in endings}
    assert sum("figure" in one for one in named) == 7
    assert sum("page" in one for one in named) == 1
    for category in ("Report", "Tables", "Figures"):
        assert f'"{category}"' in text
    assert "all deviations from the papers" in text  # the page's caption


def test_lint_finds_nothing():
    result = Project(REPOSITORY).snakemake("--lint", check=False)
    assert result.returncode == 0, result.text


def test_scripts_read_no_global_config():
    for script in (REPOSITORY / "workflow_scripts").glob("*.py"):
        assert "snakemake.config" not in script.read_text(), script
        assert "smk.config" not in script.read_text(), script


def test_every_rule_states_its_resources():
    for path in (REPOSITORY / "rules").glob("*.smk"):
        text = path.read_text()
        for rule in re.split(r"^\s*rule (?=\w+:)", text, flags=re.MULTILINE)[1:]:
            name = rule.split(":")[0]
            for directive in (
                "log:",
                "benchmark:",
                "threads:",
                "mem_mb=",
                "runtime=",
                "code=",
            ):
                if path.name == "download.smk" and directive == "code=":
                    continue  # new code is no reason to download again
                if directive == "code=":
                    own = "training_code" if name == "train_model" else "code("
                    assert f" code={own}" in rule, f"{Path(path).name}: {name} lacks its digest"
                assert directive in rule, f"{Path(path).name}: {name} lacks {directive}"
