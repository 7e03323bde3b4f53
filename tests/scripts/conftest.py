"""Results of each stage for the next one, made once by the rules' scripts."""

import pytest
from script_stubs import (
    FOLDS,
    SNR_DB,
    SYSTEM,
    Named,
    compare,
    corpus_stub,
    detect,
    features_stub,
    inspection_stub,
    model_paths,
    of_fold,
    of_job,
    score,
    separated_folds,
    stems_stub,
    stub,
    training_stub,
    tuning_stub,
)

import collect_metrics
import extract_features
import infer_scores
import inspect_recordings
import plan_mixtures
import prepare_corpus
import render_embedded_corpus
import render_stems
import score_separation
import separate_mixtures
import train_model
import tune_detection
from tfseg.run.inputs import files_in


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("scripts")


@pytest.fixture(scope="session")
def corpus(work):
    names = ("recordings", "inspection", "report", "events", "scenes", "attribution")
    paths = {name: str(work / f"{name}.csv") for name in names}
    paths |= {"licences": str(work / "licences.json"), "audio": str(work / "audio")}
    outputs = {name: paths[name] for name in ("recordings", "audio")}
    render_embedded_corpus.main(stub("render_embedded_corpus", outputs=outputs))
    inspect_recordings.main(inspection_stub(paths))
    prepare_corpus.main(corpus_stub(paths))
    return paths


@pytest.fixture(scope="session")
def plan(work, corpus):
    paths = {"mixtures": str(work / "mixtures.csv"), "events": str(work / "plan_events.csv")}
    inputs = {name: corpus[name] for name in ("events", "scenes")}
    plan_mixtures.main(stub("plan_mixtures", inputs=inputs, outputs=paths))
    return paths


@pytest.fixture(scope="session")
def stems(work, corpus, plan):
    paths = {}
    for fold in FOLDS:
        for shard in (0, 1):
            paths[fold, shard] = str(work / f"stems{fold}-{shard}.h5")
            render_stems.main(stems_stub(corpus, plan, paths[fold, shard], fold, shard))
    return paths


@pytest.fixture(scope="session")
def features(work, plan, stems):
    paths = {}
    for (fold, shard), path in stems.items():
        outputs = Named(*(str(work / f"snr{snr}-{fold}-{shard}.h5") for snr in (SNR_DB, 0)))
        extract_features.main(features_stub(plan, path, outputs, fold, shard))
        paths[fold, shard] = outputs[0]
    return paths


@pytest.fixture(scope="session")
def models(work, features):
    paths = {}
    for fold in FOLDS:
        smk = training_stub(work, features, fold)
        train_model.main(smk)
        paths[fold] = smk.output
    return paths


@pytest.fixture(scope="session")
def scores(work, features, models):
    paths = {}
    for fold in FOLDS:
        smk = stub(
            "infer_scores",
            inputs={
                "model": models[fold].model,
                "description": models[fold].description,
                "detection": [],
                "features": of_fold(features, fold),
            },
            outputs={
                "scores": str(work / f"scores{fold}.h5"),
                "counts": str(work / f"counts{fold}.h5"),
            },
            params={"scorings": str(work / "logs" / "scorings.jsonl")},
            wildcards=of_job(fold),
        )
        infer_scores.main(smk)
        paths[fold] = smk.output
    return paths


@pytest.fixture(scope="session")
def events(work, scores):
    return {fold: detect(scores[fold].scores, str(work / f"events{fold}.tsv")) for fold in FOLDS}


@pytest.fixture(scope="session")
def metrics(work, plan, scores, events):
    joined = str(work / "metrics.csv")
    part = score(plan, scores, events, str(work / "part.csv"))
    collect_metrics.main(
        stub("collect_metrics", inputs={"parts": [part]}, outputs={"metrics": joined})
    )
    return joined


@pytest.fixture(scope="session")
def separation(work, plan, stems, models):
    paths = {}
    for fold in FOLDS:
        used = {SYSTEM: model_paths(models[fold])}
        smk = stub(
            "separate_mixtures",
            inputs={
                "models": files_in(used),
                "stems": of_fold(stems, fold),
                "mixture_events": plan["events"],
            },
            outputs={
                "scores": str(work / f"separation{fold}.csv"),
                "examples": str(work / f"separated{fold}"),
            },
            params={"models": used},
            wildcards={"snr": str(SNR_DB), "fold": str(fold), "repeat": "0"},
        )
        separate_mixtures.main(smk)
        paths[fold] = smk.output
    joined = str(work / "separation_metrics.csv")
    score_separation.main(
        stub(
            "score_separation",
            inputs={"scores": [paths[fold].scores for fold in FOLDS]},
            outputs={"metrics": joined},
            params={"separated": [separated_folds(paths)]},
        )
    )
    return paths, joined


@pytest.fixture(scope="session")
def tuned(work, plan, features, models):
    """Thresholds tuned for each model on the validation part of its training fold."""
    paths = {}
    for fold in FOLDS:
        names = {"detection": f"tuned{fold}.json", "tuning": f"tuning{fold}.csv"}
        outputs = {key: str(work / name) for key, name in names.items()}
        smk = tuning_stub(plan, models[fold], of_fold(features, 3 - fold), outputs, fold)
        tune_detection.main(smk)
        paths[fold] = smk.output
    return paths


@pytest.fixture(scope="session")
def comparison(work, plan, scores, events, separation):
    return compare(work, plan, scores, events, separation[0])
