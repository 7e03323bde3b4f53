"""Scripts of rules, run with a stub of Snakemake that has the real rule's params."""

import copy
from pathlib import Path
from types import SimpleNamespace

from rule_jobs import REPOSITORY, planned_jobs

import compare_systems
import describe_model
import detect_events
import score_system
from tfseg.run.inputs import files_in

STAGES = REPOSITORY / "tests/scripts/stages.yaml"
TUNED = REPOSITORY / "tests/scripts/tuned.yaml"
SYSTEM, SNR_DB, FOLDS = "gwrp", 10, [1, 2]
CLASSES = ["Flute", "Hi-hat"]


class Named(list):
    """Like Snakemake's named lists: items in order, and some by name."""

    def __init__(self, *items, **named):
        super().__init__([*items, *named.values()])
        self.__dict__.update(named)

    def items(self):
        return self.__dict__.items()


def stub(rule, *, inputs=None, outputs=None, params=None, wildcards=None, tuned=False, by_name=()):
    """Make the object that Snakemake passes to the script of a rule.

    Parameters
    ----------
    rule : str
    inputs, outputs : dict of str to path or paths, optional
        By the names that the rule gives them; all of these. Outputs may be a `Named` of paths.
    params : dict, optional
        In place of what the rule gives, for instance paths and what a test varies. Records have the
        same keys as those of the rule.
    wildcards : dict of str to str, optional
        Which of the rule's jobs; any, if not given.
    tuned : bool
        Whether thresholds are tuned.
    by_name : sequence of str
        Params whose keys are names of the run, for instance systems: a test may have others.
    """
    inputs, params, wildcards = inputs or {}, params or {}, wildcards or {}
    jobs = planned_jobs(STAGES, TUNED) if tuned else planned_jobs(STAGES)
    jobs = [job for job in jobs if job["rule"] == rule]
    assert jobs, f"expected a job of rule {rule}, found none"
    jobs = [job for job in jobs if wildcards.items() <= job["wildcards"].items()]
    assert jobs, f"rule {rule}: found no job with {wildcards}"
    job = jobs[0]
    unknown = params.keys() - job["params"].keys()
    assert not unknown, f"rule {rule} has no params {sorted(unknown)}"
    for name, value in params.items():
        expected = job["params"][name]
        if name in by_name:
            expected, value = list(expected.values()), list(value.values())
        _check_keys(expected, value, f"rule {rule}: {name}")
    assert set(inputs) == set(job["inputs"]), f"rule {rule}: its inputs are {job['inputs']}"
    if not isinstance(outputs, Named):
        outputs = Named(**(outputs or {}))
    named = outputs.__dict__.keys()
    assert set(named) == set(job["outputs"]), f"rule {rule}: its outputs are {job['outputs']}"
    return SimpleNamespace(
        rule=rule,
        input=Named(**inputs),
        output=outputs,
        params=SimpleNamespace(**(copy.deepcopy(job["params"]) | params)),
        wildcards=Named(**(job["wildcards"] | wildcards)),
        resources=SimpleNamespace(gpu=1),
        threads=1,
    )


def _check_keys(expected, found, where):
    """Check that records have the keys that the rule gives them, in dicts and lists of dicts."""
    if expected and isinstance(expected, dict):
        assert set(found) == set(expected), f"{where}: its keys are {list(expected)}"
        for key, value in expected.items():
            _check_keys(value, found[key], f"{where}.{key}")
    elif expected and isinstance(expected, list):
        for value in found:
            _check_keys(expected[0], value, where)


def job_of(rule, **wildcards):
    """A job of a rule, as `planned_jobs` has it: the first with these wildcards."""
    return next(
        job
        for job in planned_jobs(STAGES)
        if job["rule"] == rule and wildcards.items() <= job["wildcards"].items()
    )


def params_of(rule):
    """Params of a rule's first job."""
    return job_of(rule)["params"]


def of_fold(features, fold):
    """Paths of a fold's shards."""
    return [path for (f, _), path in features.items() if f == fold]


def of_job(fold):
    """Wildcards of a job of a model."""
    return {"snr": str(SNR_DB), "system": SYSTEM, "fold": str(fold), "repeat": "0"}


def inspection_stub(paths):
    return stub(
        "inspect_recordings",
        inputs={name: paths[name] for name in ("recordings", "audio")},
        outputs={name: paths[name] for name in ("inspection", "report")},
    )


def corpus_stub(paths, **params):
    return stub(
        "prepare_corpus",
        inputs={name: paths[name] for name in ("recordings", "inspection", "report")},
        outputs={name: paths[name] for name in ("events", "scenes", "attribution", "licences")},
        params=params,
    )


def stems_stub(corpus, plan, path, fold, shard):
    return stub(
        "render_stems",
        inputs={
            "mixtures": plan["mixtures"],
            "mixture_events": plan["events"],
            "corpus_events": corpus["events"],
            "inspection": corpus["inspection"],
            "licences": corpus["licences"],
            "audio": corpus["audio"],
        },
        outputs={"stems": path},
        wildcards={"fold": str(fold), "shard": str(shard)},
    )


def features_stub(plan, stems, outputs, fold, shard):
    return stub(
        "extract_features",
        inputs={"stems": stems, "mixture_events": plan["events"]},
        outputs=outputs,
        wildcards={"fold": str(fold), "shard": str(shard)},
    )


def training_stub(work, features, fold, folder="models"):
    names = {
        "model": "model.safetensors",
        "description": "model.json",
        "history": "history.csv",
    }
    return stub(
        "train_model",
        inputs={
            "features": of_fold(features, 3 - fold),
            "licences": str(work / "licences.json"),
        },
        outputs={key: str(work / folder / f"fold{fold}" / name) for key, name in names.items()},
        params={"state": str(work / folder / f"state{fold}.safetensors")},
        wildcards=of_job(fold),
    )


def tuning_stub(plan, model, features, outputs, fold):
    return stub(
        "tune_detection",
        inputs={
            "model": model.model,
            "description": model.description,
            "features": features,
            "mixtures": plan["mixtures"],
            "mixture_events": plan["events"],
        },
        outputs=outputs,
        wildcards=of_job(fold),
        tuned=True,
    )


def describe(description):
    """Write the thresholds and the card of a model; returns their paths."""
    folder = Path(description).parent
    smk = stub(
        "describe_model",
        inputs={
            "description": description,
            "detection": [],
            "template": str(REPOSITORY / "resources/model_card.md.jinja"),
        },
        outputs={
            "detection": str(folder / "detection.json"),
            "card": str(folder / "model_card.md"),
        },
    )
    describe_model.main(smk)
    return smk.output


def detect(scores, path, detection=()):
    """Detect the events of a fold; returns the path of their table."""
    detect_events.main(
        stub(
            "detect_events",
            inputs={"scores": scores, "detection": list(detection)},
            outputs={"events": path},
        )
    )
    return path


def scored_folds(scores, events, **tuned):
    """Result files of each held-out fold, as the rules pass them to scripts.

    Parameters
    ----------
    scores : dict of int to Named
        Outputs of `infer_scores` by fold.
    events : dict of int to str
    **tuned : dict of int to str
        ``detection`` and ``tuned_events`` by fold, where thresholds are tuned.
    """
    return {
        fold: {"scores": scores[fold].scores, "counts": scores[fold].counts, "events": events[fold]}
        | {name: paths[fold] for name, paths in tuned.items()}
        for fold in FOLDS
    }


def separated_folds(separated):
    """Separation scores of each held-out fold, as the rules pass them to scripts."""
    return {
        "snr_db": float(SNR_DB),
        "seed": 0,
        "folds": {fold: separated[fold].scores for fold in FOLDS},
    }


def model_paths(model):
    """Weights and description of a model, as the rules pass them to scripts."""
    return {"model": model.model, "description": model.description}


def turned_round(records):
    """The same records in the other order."""
    return dict(reversed(records.items()))


def score(plan, scores, events, path, turned=False, **tuned):
    """Compute the metrics of the system; returns the path of their table.

    `turned` reverses the order of the folds; `tuned` is passed to `scored_folds`.
    """
    folds = scored_folds(scores, events, **tuned)
    score_system.main(
        stub(
            "score_system",
            inputs={
                "scored": files_in(folds),
                "mixtures": plan["mixtures"],
                "mixture_events": plan["events"],
            },
            outputs={"metrics": path},
            params={"folds": turned_round(folds) if turned else folds},
            wildcards={"snr": str(SNR_DB), "system": SYSTEM, "repeat": "0"},
            tuned=bool(tuned),
        )
    )
    return path


def compare(folder, plan, scores, events, separated, turned=False):
    """Compare the system with its twin; returns the paths of the tables, by name.

    `turned` reverses the order of the folds.
    """
    paths = {name: str(folder / f"{name}.csv") for name in ("intervals", "comparisons")}
    twins = [SYSTEM, "twin"]  # the same scores by another name
    folds, sounds = scored_folds(scores, events), separated_folds(separated)
    if turned:
        folds = turned_round(folds)
        sounds |= {"folds": turned_round(sounds["folds"])}
    compare_systems.main(
        stub(
            "compare_systems",
            inputs={
                "scored": files_in(folds),
                "separation": files_in(sounds["folds"]),
                "mixtures": plan["mixtures"],
                "mixture_events": plan["events"],
            },
            outputs=paths,
            params={
                "scored": [
                    {"snr_db": float(SNR_DB), "system": system, "seed": 0, "folds": folds}
                    for system in twins
                ],
                "separated": [sounds],
                "systems": twins,
            },
        )
    )
    return paths
