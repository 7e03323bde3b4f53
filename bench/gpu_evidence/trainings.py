"""Trainings at the paper's size on the embedded corpus, and their scores on the held-out fold."""

import concurrent.futures
import multiprocessing
import os
import signal
import time

import numpy as np

from gpu_evidence.setting import RECOMMENDED, Watch, code_digest, synchronise
from tfseg.features.feature_set import load_features
from tfseg.inference.events import EventSettings, detect_events
from tfseg.inference.forward import infer, prepare_for_inference
from tfseg.io.files import read_json, write_json, writing_hdf5
from tfseg.job.seeding import derive_seed

SYSTEMS = ("gwrp", RECOMMENDED, "gap", "gmp")
FOLDS = (1, 2)
_SHARD = 125
_CHECKED_EVERY = 50  # iterations between looks at the clock
_MIXING = (
    "duration_s",
    "onsets_s",
    "events_per_mixture",
    "overlap",
    "max_event_s",
    "kinds",
    "scene_start",
)


def _corpus(setting):
    """Render the embedded corpus, and deal its recordings to folds, as the rules do."""
    from tfseg.datasets import assemble, embedded, inspection

    config, audio = setting.config, setting.work / "audio"
    recordings = embedded.render_corpus(
        audio,
        classes=setting.classes,
        scene_duration_s=config["mixing"]["duration_s"],
        seed=config["seed"],
        **config["corpus"]["embedded"],
    )
    facts, report = inspection.inspect(recordings, processes=os.cpu_count())
    recordings = assemble.usable(recordings, report, "error", "the report")
    recordings = assemble.sounding_parts(recordings, facts, config["corpus"]["trim_silence"])
    recordings["fold"] = assemble.deal_folds(recordings, config["split"], config["seed"])
    return assemble.corpus_tables(recordings)


def _shard_paths(setting, fold, shard):
    folder = setting.work / "features"
    return folder / f"fold{fold}-{shard:02d}-stems.h5", folder / f"fold{fold}-{shard:02d}.h5"


def _render_shard(setting, fold, shard, mixtures, events, corpus_events):
    """Stems and features of one shard, in a process of its own."""
    from tfseg.datasets import corpus_tables
    from tfseg.features import logmel
    from tfseg.mixing import remixing

    config = setting.config
    stems, features = _shard_paths(setting, fold, shard)
    with writing_hdf5(stems) as file:
        remixing.render_stems(
            file,
            mixtures,
            events,
            corpus_events,
            classes=setting.classes,
            sample_rate=config["features"]["sample_rate"],
            resampler=config["mixing"]["resampler"],
            max_event_s=config["mixing"]["max_event_s"],
            snr_db=config["mixing"]["snr_db"],
            snr_on=config["mixing"]["snr_on"],
        )
    with writing_hdf5(features) as file:
        logmel.extract_features(
            [file],
            remixing.StemReader(stems),
            logmel.FeatureSettings(**config["features"]),
            corpus_tables.mixture_labels(events),
            classes=setting.classes,
            snr_db=config["mixing"]["snr_db"],
        )
    stems.unlink()


def feature_rows(setting):
    """Render corpus, mixtures and features of all folds; the features stay in the work folder."""
    from tfseg.datasets import corpus_tables
    from tfseg.mixing import remixing

    config, started_s = setting.config, time.monotonic()
    tables = _corpus(setting)
    corpus_s = time.monotonic() - started_s
    n_mixtures = config["mixing"]["mixtures_per_fold"]
    mixtures, events = remixing.plan_mixtures(
        tables["events"],
        tables["scenes"],
        folds=FOLDS,
        mixtures_per_fold=[n_mixtures] * len(FOLDS),
        seed=config["seed"],
        **{key: config["mixing"][key] for key in _MIXING},
    )
    (setting.work / "features").mkdir(exist_ok=True)
    shards = []
    for fold in FOLDS:
        of_fold = mixtures[mixtures["fold"] == fold]
        for shard, first in enumerate(range(0, n_mixtures, _SHARD)):
            some = of_fold.iloc[first : first + _SHARD]
            own = events[events["mixture"].isin(some["mixture"])]
            shards.append((setting, fold, shard, some, own, tables["events"]))
    if setting.small:
        for shard in shards:
            _render_shard(*shard)
    else:
        context = multiprocessing.get_context("spawn")  # a fork would carry the GPU's state along
        with concurrent.futures.ProcessPoolExecutor(os.cpu_count(), context) as pool:
            for job in [pool.submit(_render_shard, *shard) for shard in shards]:
                job.result()
    labels = corpus_tables.mixture_labels(events)
    write_json(setting.work / "labels.json", labels)
    return [
        {"what": f"corpus of {len(setting.classes)} classes", "seconds": corpus_s},
        {
            "what": f"mixtures and features of {len(mixtures)} mixtures, {os.cpu_count()} processes",
            "seconds": time.monotonic() - started_s - corpus_s,
        },
    ]


def _load(setting, folds):
    n_shards = -(-setting.config["mixing"]["mixtures_per_fold"] // _SHARD)
    return load_features(
        [_shard_paths(setting, fold, shard)[1] for fold in folds for shard in range(n_shards)]
    )


def event_f1(estimated, labels, mixtures, classes, metrics):
    """Event-based F1 of each class, as sed_eval counts it; sed_eval need not be there."""
    from tfseg.inference.tuning import Matcher

    place = {name: index for index, name in enumerate(mixtures)}
    values = np.full(len(classes), np.nan)
    for k, label in enumerate(classes):
        known = [
            [(onset_s, offset_s) for of, onset_s, offset_s in labels[name] if of == label]
            for name in mixtures
        ]
        found = sorted(
            (place[name], onset_s, offset_s)
            for name, onset_s, offset_s, of in estimated
            if of == label
        )
        matcher = Matcher(
            known, collar_s=metrics["collar_s"], offset_fraction=metrics["offset_fraction"]
        )
        if matcher.n_reference:
            columns = np.array(found, dtype=np.float64).reshape(-1, 3).T
            hits = matcher.count(columns[0].astype(np.int64), *columns[1:])
            values[k] = 2 * hits / (matcher.n_reference + len(found))
    return values


def score(setting, network, data):
    """Macro averages of a system's scores on the clips of a held-out fold."""
    from tfseg.evaluation import scoring
    from tfseg.evaluation.records import MetricSettings

    config, labels = setting.config, read_json(setting.work / "labels.json")
    keys = {key: value for key, value in config["metrics"].items() if key != "processes"}
    metrics = MetricSettings(**keys)
    prepare_for_inference(network.eval(), setting.precision)
    tags, frames, counter = infer(
        network,
        data,
        batch_size=config["inference"]["batch_size"],
        mask_thresholds={"published": metrics.mask_threshold},
        device=setting.device,
    )
    fold = scoring.FoldScores.of_features(data, tags, frames, counter, labels)
    of_tags, _ = scoring.tagging_metrics(fold, metrics)
    histogram = scoring.frame_histograms(fold, metrics)[metrics.tag_gate]
    of_frames, _ = scoring.frame_metrics(histogram, metrics)
    events = EventSettings(
        **{key: value for key, value in config["postprocessing"].items() if key != "tune"}
    )
    estimated = detect_events(
        data.mixture,
        tags,
        frames,
        data.classes,
        data.grid,
        events,
        tag_threshold=metrics.tag_threshold,
    )
    estimated = [event for event in estimated if event[3] is not None]
    values = {
        "tag mAP": of_tags["map"],
        "tag F1": of_tags["f1"],
        "frame F1": of_frames["f1"],
        "frame mAP": of_frames["map"],
        "frame AUC": of_frames["auc"],
        "event F1": event_f1(estimated, labels, data.mixture, data.classes, config["metrics"]),
    }
    if counter is not None:
        masks, predicted, hit = counter.result()
        values |= {
            "mask F1": scoring.precision_recall_f1(predicted, masks.n_positive, hit)[2],
            "mask mAP": masks.average_precision(),
            "mask AUC": masks.auc(),
        }
    return {name: scoring.macro(of_class)[0] for name, of_class in values.items()}


def training_rows(setting, system, fold, changes, left_s):
    """Train a system on all folds but one, and score it there; resumes where it was stopped.

    Parameters
    ----------
    setting : gpu_evidence.setting.Setting
    system : str
    fold : int
        Held out.
    changes : dict
        Of the config's ``training``: how a step is run.
    left_s : callable
        Seconds left; without any, the training is stopped with its state saved.

    Raises
    ------
    tfseg.training.state.Interrupted
        When the time is up.
    """
    if not (setting.work / "labels.json").is_file():
        raise FileNotFoundError(f"{setting.work}: expected features, found none (part features)")
    settings = setting.settings(system, **changes)
    data = _load(setting, [other for other in FOLDS if other != fold])
    folder = setting.work / "states"
    folder.mkdir(exist_ok=True)
    state, clock = folder / f"{system}-fold{fold}.safetensors", folder / f"{system}-fold{fold}.json"
    name = {"code": code_digest(), "device": setting.device}
    known = read_json(clock) if clock.is_file() and state.is_file() else {}
    earlier_s = known["seconds"] if known.get("name") == name else 0.0
    started_s = time.monotonic()

    def look(done):
        if left_s() < 0:
            os.kill(os.getpid(), signal.SIGTERM)

    marks = [(done, look) for done in range(_CHECKED_EVERY, settings.iterations, _CHECKED_EVERY)]
    seed = derive_seed(setting.config["seed"], "evidence", system, fold)
    try:
        network, history = setting.train(
            system, data, settings, state, watch=Watch(marks), seed=seed
        )
        synchronise(setting.device)
    finally:
        seconds = earlier_s + time.monotonic() - started_s
        write_json(clock, {"name": name, "seconds": seconds})
    scores = score(setting, network, _load(setting, [fold]).scored())
    row = {
        "system": system,
        "held-out fold": fold,
        "iterations": settings.iterations,
        "training s": seconds,
        "last loss": history[-1][1],
    }
    return [row | scores]
