"""Snakemake's checks before any job: the paper's grid, and bad configs."""

import pytest
import yaml
from workflow_project import Project, copy_project

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return copy_project(tmp_path_factory.mktemp("checks") / "workflow")


def test_dry_run_of_the_paper_lists_its_whole_grid_without_data(project):
    assert project.planned() == {
        "ask_record": 1,
        "fetch_archive": 15 + 2,
        "unpack_folder": 3,
        "list_recordings": 1,
        "inspect_recordings": 1,
        "prepare_corpus": 1,
        "plan_mixtures": 1,
        "render_stems": 4 * 8,
        "extract_features": 4 * 8,
        "train_model": 3 * 3 * 4,
        "describe_model": 3 * 3 * 4,
        "infer_scores": 3 * 3 * 4,
        "detect_events": 3 * 3 * 4,
        "score_system": 3 * 3,
        "separate_mixtures": 3 * 4,
        "score_separation": 1,
        "collect_metrics": 1,
        "compare_systems": 1,
        "make_leaderboard": 1,
        "make_tables": 1,
        "infer_examples": 1,
        "plot_figure": 7,
        "infer_listening": 1,
        "make_report": 1,
    }
    assert not (project.folder / "results").exists()


def test_a_host_that_does_not_answer_is_one_clear_error(project, tmp_path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(yaml.safe_dump({"download": {"hosts": {"zenodo": "http://127.0.0.1:9"}}}))
    result = Project(project.folder, [overlay]).snakemake("--until", "ask_record", check=False)
    assert result.returncode != 0
    assert "fsdkaggle2018: http://127.0.0.1:9/api/records/2552860 gave no list" in result.text
    assert "Traceback" not in result.text.split("RuleException")[0]


@pytest.mark.parametrize(
    ("overlay", "says"),
    [
        (
            {"training": {"iteratons": 5}},
            ["training.iteratons", "did you mean 'iterations'", "expected one of"],
        ),
        (
            {"training": {"iterations": "many"}},
            ["training.iterations", "expected", "integer", "'many' (text)"],
        ),
        ({"mixing": {"snr_db": ["20"]}}, ["mixing.snr_db[0]", "number", "'20' (text)"]),
        ({"split": {"folds": 1}}, ["split.folds", "at least 2", "found 1"]),
        ({"systems": ["gwrp", "gwpr"]}, ["systems[1]", "gmp, gap, gwrp", "'gwpr'"]),
        ({"mixing": None}, ["mixing", "object", "null"]),
    ],
    ids=["misspelt", "type", "snr-as-text", "one-fold", "system", "missing-section"],
)
def test_a_bad_config_is_one_message_and_no_job(project, tmp_path, overlay, says):
    path = tmp_path / "overlay.yaml"
    path.write_text(yaml.safe_dump(overlay))
    result = Project(project.folder, [path]).snakemake(check=False)
    assert result.returncode != 0
    for words in says:
        assert words in result.text
    assert "Traceback" not in result.text
    assert "Job stats" not in result.text
    assert result.text.count("config key") == 1
