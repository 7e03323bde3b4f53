"""A real small run with thresholds tuned on validation clips."""

import pandas as pd
import pytest
import yaml
from workflow_project import TINY, copy_project

pytestmark = [pytest.mark.workflow, pytest.mark.full]
OVERLAY = {
    "systems": ["gwrp"],
    "mixing": {"snr_db": [0]},
    "split": {"validation": 0.3},
    "postprocessing": {"tune": True},
}
ASKED = [f"results/tiny/{name}" for name in ("metrics.csv", "tables/tuned_by_snr.md")]


def test_thresholds_are_tuned_and_scored_beside_the_published_ones(tmp_path):
    overlay = tmp_path / "tune.yaml"
    overlay.write_text(yaml.safe_dump(OVERLAY))
    project = copy_project(tmp_path / "project", [*TINY, overlay])
    cards = [f"results/tiny/models/snr0/gwrp/fold{fold}/seed0/model_card.md" for fold in (1, 2)]
    project.snakemake(*ASKED, *cards, "--resources", "gpu=2")
    results = project.folder / "results" / "tiny"
    mixtures = pd.read_csv(results / "mixtures/mixtures.csv")
    assert mixtures.groupby("fold")["part"].value_counts()[:, "validation"].tolist() == [4, 4]
    metrics = pd.read_csv(results / "metrics.csv")
    tuned = metrics[metrics["variant"] == "tuned"]
    assert set(tuned["task"]) == {"tagging", "frame", "event", "mask"}
    # Held-out folds are scored whole.
    scored = pd.read_csv(results / "events_tuned/snr0/gwrp/fold1/seed0.tsv", sep="\t")
    assert set(scored["filename"]) == set(mixtures.loc[mixtures["fold"] == 1, "mixture"])
    assert (results / "models/snr0/gwrp/fold1/seed0/tuning.csv").is_file()
    card = (project.folder / cards[0]).read_text()
    assert "tuned on validation clips" in card
    assert project.planned(*ASKED, *cards) == {}

    # Other collars tune again, and train nothing.
    overlay.write_text(yaml.safe_dump(OVERLAY | {"metrics": {"collar_s": 0.3}}))
    planned = project.planned(*ASKED)
    assert planned["tune_detection"] == 2
    assert "train_model" not in planned
    # Without tuning detection.json is the experiment's again.
    overlay.write_text(yaml.safe_dump(OVERLAY | {"postprocessing": {"tune": False}}))
    planned = project.planned(ASKED[0], *cards)
    assert planned["describe_model"] == 2
    assert not {"tune_detection", "train_model", "detect_tuned_events"} & set(planned)
