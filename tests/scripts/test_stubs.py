"""The stubs of these tests are equal to the workflow's objects."""

import pytest
from rule_jobs import planned_jobs
from script_stubs import STAGES, params_of, stub

RECORDINGS = {"recordings": "recordings.csv", "audio": "audio"}


def test_params_are_those_of_the_rule():
    made = stub("render_embedded_corpus", outputs=RECORDINGS, params={"seed": 7})
    (job,) = (job for job in planned_jobs(STAGES) if job["rule"] == "render_embedded_corpus")
    assert vars(made.params) == job["params"] | {"seed": 7}
    assert made.params.settings["groups_per_class"] == 4


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"params": {"sead": 7}}, "has no params .'sead'."),
        ({"params": {"settings": {"groups": 4}}}, "settings: its keys are .*'groups_per_class'"),
        ({"outputs": {"recordings": "recordings.csv"}}, "its outputs are"),
        ({"inputs": {"audio": "audio"}}, "its inputs are"),
        ({"wildcards": {"fold": "1"}}, "found no job"),
        ({"rule": "render_embeded_corpus"}, "expected a job of rule"),
    ],
)
def test_another_name_than_the_rules_is_refused(changed, says):
    with pytest.raises(AssertionError, match=says):
        stub(**({"rule": "render_embedded_corpus", "outputs": RECORDINGS} | changed))


def test_records_have_the_keys_of_the_rules():
    record = params_of("compare_systems")["scored"][0]
    folds = {fold: files | {"count": "counts.h5"} for fold, files in record["folds"].items()}
    inputs = {key: [] for key in ("scored", "separation", "mixtures", "mixture_events")}
    outputs = dict.fromkeys(("intervals", "comparisons"), "table.csv")
    with pytest.raises(AssertionError, match=r"scored\.folds\.1: its keys are .*'counts'"):
        stub(
            "compare_systems",
            inputs=inputs,
            outputs=outputs,
            params={"scored": [record | {"folds": folds}]},
        )
