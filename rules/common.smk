# Checks of the configuration, the closed sets that span the grid, and the paths of every stage.

import csv
import functools
import math

import yaml
from snakemake.exceptions import WorkflowError

from tfseg.settings.checks import check_config, check_config_files
from tfseg.settings.comparing import changed_keys, sorted_keys
from tfseg.datasets.registry import load_registry
from tfseg.models.registry import with_defaults
from tfseg.run.digest import (
    code_digest,
    contents_digest,
    files_digest,
    training_digest,
)
from tfseg.errors import ConfigError, DataError
from tfseg.run.recipes import find_recipe
from tfseg.run.scheduler import keep_one_timer
from tfseg.settings.validation import is_one_line

# A pooling, trunk or network of one's own needs no entry in config.yaml.
config.update(with_defaults(config))
try:
    check_config_files(workflow.configfiles)
    check_config(config)
    DATASETS = load_registry(config["download"]["registry"])
except ConfigError as error:
    raise WorkflowError(str(error))

DATA_ROOT = config["data_root"]
# Which data set each folder and each archive is of.
FOLDER_OF = {
    folder: name for name, dataset in DATASETS.items() for folder in dataset.folders
}
# Only these may be unpacked: a folder that is there has no rule that makes it, so that Snakemake,
# which deletes what it is about to make again, never deletes a user's recordings.
ABSENT_FOLDERS = [
    folder for folder in FOLDER_OF if not Path(DATA_ROOT, folder).exists()
]
ARCHIVE_OF = {
    archive: name for name, dataset in DATASETS.items() for archive in dataset.archives
}

KIND = config["corpus"]["kind"]
# Recordings that already are mixtures: nothing is mixed, there is no SNR and no ideal mask.
IS_CLIPS = KIND == "clips"

RUN = config["run"]
RESULTS = f"results/{RUN}"
CLASSES = config["corpus"]["classes"]
# A fixed split has two parts: 1 is held out, 2 is trained on.
IS_FIXED = config["split"]["kind"] == "fixed"
FOLDS = [1, 2] if IS_FIXED else list(range(1, config["split"]["folds"] + 1))
HELD_OUT = [1] if IS_FIXED else FOLDS
PER_FOLD = config["mixing"]["mixtures_per_fold"]
MIXTURES_PER_FOLD = PER_FOLD if isinstance(PER_FOLD, list) else [PER_FOLD] * len(FOLDS)
SNRS = (
    ["none"] if IS_CLIPS else [f"{snr_db:g}" for snr_db in config["mixing"]["snr_db"]]
)
SYSTEMS = config["systems"]
RECIPES = {system: find_recipe(config, system) for system in SYSTEMS}
REPEATS = list(range(config["repeats"]))

DCASE2018_FOLDERS = [
    folder
    for dataset in ("fsdkaggle2018", "tut_urban_2018")
    for folder in DATASETS[dataset].folders
]
TUT_RARE_FOLDER = next(iter(DATASETS["tut_rare_2017"].folders))
ESC50_FOLDERS = [DATA_ROOT, *(f"{DATA_ROOT}/{f}" for f in DATASETS["esc50"].folders)]
# What must be there before a corpus can be listed; what lies in data_root is not downloaded.
SOURCES = {
    "dcase2018": [f"{DATA_ROOT}/{folder}" for folder in DCASE2018_FOLDERS],
    "tut_rare2017": [f"{DATA_ROOT}/{TUT_RARE_FOLDER}"],
    "esc50": [f for f in ESC50_FOLDERS if Path(f, "meta/esc50.csv").exists()][:1]
    or ESC50_FOLDERS[-1:],
    "folders": [f"{DATA_ROOT}/events", f"{DATA_ROOT}/scenes"],
    "clips": [f"{DATA_ROOT}/clips.csv"],
    "embedded": [],
}[KIND]
if KIND in ("folders", "clips"):
    for path in SOURCES:
        if not Path(path).exists():
            raise WorkflowError(
                f"{path}: expected with corpus.kind {KIND}, found nothing there. The config key "
                "data_root names the folder of your recordings; docs/own_data.md says what it holds."
            )

# Times of the events in ready clips, where the user has them.
STRONG_LABELS = [
    path for path in [f"{DATA_ROOT}/strong.tsv"] if IS_CLIPS and Path(path).exists()
]

RECORDINGS = f"{RESULTS}/corpus/recordings.csv"
INSPECTION = f"{RESULTS}/corpus/inspection.csv"
CORPUS_REPORT = f"{RESULTS}/corpus/corpus_report.csv"
LICENCES = f"{RESULTS}/corpus/licences.json"
TABLES_OF_CORPUS = ["clips"] if IS_CLIPS else ["events", "scenes"]
CORPUS = {
    table: f"{RESULTS}/corpus/{table}.csv"
    for table in [*TABLES_OF_CORPUS, "attribution"]
}
# The recordings themselves are intermediates only where the workflow renders them.
EMBEDDED_AUDIO = [f"{RESULTS}/corpus/audio"] if KIND == "embedded" else []
PLAN = [f"{RESULTS}/mixtures/{table}.csv" for table in ("mixtures", "events")]
STEMS = f"{RESULTS}/mixtures/stems/fold{{fold}}-{{shard}}.h5"
FEATURES = f"{RESULTS}/features/snr{{snr}}/fold{{fold}}-{{shard}}.h5"
MODEL_DIR = f"{RESULTS}/models/snr{{snr}}/{{system}}/fold{{fold}}/seed{{repeat}}"
MODEL = f"{MODEL_DIR}/model.safetensors"
DESCRIPTION = f"{MODEL_DIR}/model.json"
HISTORY = f"{MODEL_DIR}/history.csv"
DETECTION = f"{MODEL_DIR}/detection.json"
CARD = f"{MODEL_DIR}/model_card.md"
# What is exported: the models of this run, or the one in the folder that the config names.
EXPORTED_DIR = (config["model"] or MODEL_DIR).rstrip("/")
EXPORTED = f"{EXPORTED_DIR}/model.onnx"
EXPORT_NAME = (
    "given" if config["model"] else "snr{snr}-{system}-fold{fold}-seed{repeat}"
)
# Not a declared output: Snakemake deletes those of a failed job, and this is what to resume from.
STATE = f"{RESULTS}/training_state/snr{{snr}}/{{system}}/fold{{fold}}/seed{{repeat}}.safetensors"
SCORE_DIR = f"{RESULTS}/scores/snr{{snr}}/{{system}}/fold{{fold}}/seed{{repeat}}"
SCORES = f"{SCORE_DIR}/scores.h5"
MASK_COUNTS = f"{SCORE_DIR}/mask_counts.h5"
# Grows with each scoring of a held-out fold; no output of any job.
SCORINGS = f"{RESULTS}/logs/scorings.jsonl"
# Thresholds that are chosen on validation clips, and the events that they find.
TUNES = config["postprocessing"]["tune"]
TUNING = f"{MODEL_DIR}/tuning.csv"
TUNED_EVENTS = (
    f"{RESULTS}/events_tuned/snr{{snr}}/{{system}}/fold{{fold}}/seed{{repeat}}.tsv"
)
EVENTS = f"{RESULTS}/events/snr{{snr}}/{{system}}/fold{{fold}}/seed{{repeat}}.tsv"
SYSTEM_METRICS = f"{RESULTS}/metrics/snr{{snr}}/{{system}}/seed{{repeat}}.csv"
METRICS = f"{RESULTS}/metrics.csv"
INTERVALS = f"{RESULTS}/intervals.csv"
COMPARISONS = f"{RESULTS}/comparisons.csv"
MASK_SYSTEMS = [system for system in SYSTEMS if RECIPES[system].facts.has_masks]
# Separation needs masks, and references to compare with.
SEPARATES = bool(MASK_SYSTEMS) and not IS_CLIPS
SEPARATION_SCORES = f"{RESULTS}/separation/snr{{snr}}/fold{{fold}}/seed{{repeat}}.csv"
SEPARATED = f"{RESULTS}/separated/snr{{snr}}/fold{{fold}}/seed{{repeat}}"
SEPARATION_METRICS = f"{RESULTS}/metrics/separation.csv"
TASKS = ["tagging", "frame", "event", "mask"]
TABLES = expand(
    f"{RESULTS}/tables/{{table}}.{{ending}}",
    table=[
        *expand("{task}_by_{by}", task=TASKS, by=["snr", "class"]),
        "separation",
        "frame_eer",
        "time_index",
        *(["tuned_by_snr"] if TUNES else []),
    ],
    ending=["csv", "md", "tex"],
)
LEADERBOARD = expand(
    f"{RESULTS}/tables/leaderboard.{{ending}}", ending=["csv", "md", "tex"]
)
PAPER_VALUES = (
    [f"resources/paper_tables/{config['compare_with']}.csv"]
    if config["compare_with"]
    else []
)
EXAMPLE_SNR = SNRS[0] if IS_CLIPS else f"{config['figures']['snr_db']:g}"
EXAMPLE = f"{RESULTS}/examples/snr{EXAMPLE_SNR}-fold{config['figures']['fold']}.h5"
LISTENING = (
    f"{RESULTS}/examples/listening-snr{EXAMPLE_SNR}-fold{config['figures']['fold']}.h5"
)
REPORT = f"{RESULTS}/report.html"
# Sounds that would make the page too large; the folder is there in any case.
REPORT_FILES = f"{RESULTS}/report_files"
FIGURES = expand(
    f"{RESULTS}/figures/{{figure}}.{{ending}}",
    figure=[
        "example_mixture",
        "example_masks",
        "example_frames",
        "training",
        "metrics_by_snr",
        "masks_by_class",
        "f1_by_threshold",
    ],
    ending=["png", "svg"],
)
SOUNDSCAPES = [
    f"{RESULTS}/soundscapes/{entry['name']}" for entry in config["soundscapes"]
]
APPLIED = f"{RESULTS}/applied"
APPLIED_MODEL = (
    [
        str(Path(config["model"], name))
        for name in ("model.safetensors", "model.json", "detection.json")
    ]
    if config["model"]
    else []
)

# In the path of an input Snakemake would take these for names of its own.
SPECIAL_SIGNS = set("<>{}")


@functools.cache
def recordings_by_name():
    """Path of each recording that `snakemake apply` is given, by the name of its results."""
    # Here, because it loads pandas, and every job of a cluster reads this file.
    from tfseg.apply.listing import find_recordings

    for key in ("recordings", "model"):
        if not config[key]:
            raise WorkflowError(
                f"config key {key}: expected a path, found none. Say what to analyse, and with which "
                "model: snakemake apply --config recordings=PATH model=results/<run>/models/.../seed0"
            )
    try:
        given = config["recordings"]
        paths = given if isinstance(given, list) else [given]
        return {recording.name: recording.path for recording in find_recordings(paths)}
    except DataError as error:
        raise WorkflowError(str(error))


def recording_file(wildcards):
    """A recording, where there is one: a name in a list without its file is reported, not fatal."""
    path = recordings_by_name()[wildcards.recording]
    return [str(path)] if path.exists() and not SPECIAL_SIGNS & set(str(path)) else []


def state_of_recording(wildcards):
    """What tells that a recording which cannot be an input has changed; empty for the others."""
    path = recordings_by_name()[wildcards.recording]
    return files_digest([path]) if SPECIAL_SIGNS & set(str(path)) else ""


@functools.cache
def clips_listed():
    """Number of rows of the user's clips.csv, about: it decides the number of jobs only."""
    with open(f"{DATA_ROOT}/clips.csv", "rb") as stream:
        return max(sum(1 for line in stream if line.strip()) - 1, 1)


def number_of_shards(fold):
    """Jobs that the mixtures (or clips) of a fold are dealt to."""
    size = config["mixing"]["shard_size"]
    n_items = (
        -(-clips_listed() // len(FOLDS))
        if IS_CLIPS
        else MIXTURES_PER_FOLD[FOLDS.index(int(fold))] * len(config["mixing"]["kinds"])
    )
    return -(-n_items // size)


SHARDS = {fold: list(range(number_of_shards(fold))) for fold in FOLDS}


def of_shards(pattern, folds, **wildcards):
    """Paths of all shards of some folds."""
    return [
        path
        for fold in folds
        for path in expand(pattern, fold=fold, shard=SHARDS[int(fold)], **wildcards)
    ]


wildcard_constraints:
    folder="|".join(ABSENT_FOLDERS) or "(?!)",
    archive="|".join(ARCHIVE_OF),
    dataset="|".join(DATASETS),
    fold="|".join(map(str, FOLDS)),
    shard="[0-9]+",
    snr="|".join(snr.replace(".", "[.]") for snr in SNRS),
    system="|".join(SYSTEMS),
    repeat="|".join(map(str, REPEATS)),


def growing(mem_mb):
    """Memory of a job in MB: as stated, and as much again with each retry (`--retries`)."""
    return lambda wildcards, attempt: mem_mb * attempt


def section(name, *keys):
    """A section of the config (only some keys of it when given), for a rule's params."""
    values = config[name]
    return sorted_keys({key: values[key] for key in keys} if keys else values)


def event_settings():
    """How events come from frame scores: whether that is tuned is none of it."""
    keys = (key for key in config["postprocessing"] if key != "tune")
    return section("postprocessing", *keys)


def metric_settings():
    """What values of metrics depend on: the number of processes is none of it."""
    return section("metrics", *(key for key in config["metrics"] if key != "processes"))


def fixed_thresholds():
    """Thresholds of the experiment: those of every model that is not tuned."""
    return section(
        "metrics", "tag_threshold", "tag_gate", "frame_threshold", "mask_threshold"
    )


def grid():
    """The keys of `features` that make a time grid."""
    return section("features", "sample_rate", "window_length", "hop_length")


def code(rule_name):
    """Digest of the script of a rule and of the library modules behind it."""
    return code_digest(f"{workflow.basedir}/workflow_scripts/{rule_name}.py")


def reported_config(values):
    """What the report says of a config: numbers of processes and an image change no result."""
    sections = {
        key: (
            {k: v for k, v in value.items() if k != "processes"}
            if isinstance(value, dict)
            else value
        )
        for key, value in values.items()
        if key != "container"
    }
    return sorted_keys(sections)


def own_changes():
    """Where this experiment differs from config.yaml, which is the paper's."""
    with open(f"{workflow.basedir}/config.yaml", encoding="utf-8") as stream:
        defaults = yaml.safe_load(stream)
    return changed_keys(reported_config(defaults), reported_config(config))


def templates_code():
    """Digest of the templates behind every page, which no script imports."""
    folder = Path(workflow.basedir, "workflow_scripts/tfseg/reporting/pages/templates")
    return contents_digest(folder.iterdir())


def archive_path(archive):
    """Where an archive lies: beside the folders if the user put it there, else in archives/."""
    beside = Path(DATA_ROOT) / archive
    return str(beside if beside.exists() else Path(DATA_ROOT) / "archives" / archive)


def archives_of_folder(wildcards):
    """Paths of the archives that hold a folder."""
    dataset = DATASETS[FOLDER_OF[wildcards.folder]]
    return [archive_path(archive) for archive in dataset.folders[wildcards.folder]]


def arrivals_of_folder(wildcards):
    """What says that the archives of a folder are there: themselves, or a verified download."""
    beside = f"{DATA_ROOT}/archives/"
    return [
        f"{path}.verified.json" if path.startswith(beside) else path
        for path in archives_of_folder(wildcards)
    ]


def record_of(name):
    """Path of what a data set's record stated, as a list; empty when nothing has to be asked."""
    return (
        [f"{DATA_ROOT}/archives/{name}.record.json"]
        if DATASETS[name].asks_record
        else []
    )


def code_of_system(system):
    """Digest of the network behind a name: its parts are imported by their names."""
    return code_digest("tfseg.models.systems:build_network", *RECIPES[system].builders)


def model_code(wildcards):
    """`code_of_system` of a job."""
    return code_of_system(wildcards.system)


def training_code(wildcards):
    """Digest of what decides a training's result: a state of other code is not resumed from.

    Its own network, its teachers', the loop and the data reader; no other system, no file helper.
    """
    builders, system = [], wildcards.system
    while system is not None:
        builders += RECIPES[system].builders
        system = RECIPES[system].teacher
    return training_digest(
        f"{workflow.basedir}/workflow_scripts/train_model.py", *builders
    )


def baseline_settings(*systems):
    """Settings of some systems that are networks of their own."""
    known, networks = config["baselines"], [RECIPES[name].network for name in systems]
    return sorted_keys({name: known[name] for name in networks if name in known})


def training_features(wildcards):
    """Feature files of all folds but the held-out one."""
    folds = [fold for fold in FOLDS if fold != int(wildcards.fold)]
    return of_shards(FEATURES, folds, snr=wildcards.snr)


def teacher_model(wildcards):
    """Model that a system also learns from, trained on the same clips."""
    teacher = RECIPES[wildcards.system].teacher
    if teacher is None:
        return {}
    names = dict(wildcards) | {"system": teacher}
    return {
        "teacher": MODEL.format(**names),
        "teacher_description": DESCRIPTION.format(**names),
    }


def held_out_features(wildcards):
    """Feature files of the held-out fold."""
    return of_shards(FEATURES, [wildcards.fold], snr=wildcards.snr)


def models_to_export(wildcards):
    """ONNX files of `snakemake export`: of the folder `model`, else of all systems with masks."""
    if config["model"]:
        return EXPORTED
    if not MASK_SYSTEMS:
        raise WorkflowError(
            "export: expected a system with masks among the config key systems, found "
            f"{', '.join(SYSTEMS)}; only those can be written as ONNX"
        )
    return expand(
        EXPORTED, snr=SNRS, system=MASK_SYSTEMS, fold=HELD_OUT, repeat=REPEATS
    )


def snr_of(wildcards):
    """The SNR of a job as a number; None for clips that are used as recorded."""
    return None if wildcards.snr == "none" else float(wildcards.snr)


def corpus_choice():
    """What the adapter of this corpus is told beside its folder."""
    choice = {"classes": CLASSES}
    if not IS_CLIPS:
        choice["scenes"] = config["corpus"]["scenes"]
    if KIND == "dcase2018":
        choice["expect"] = (
            DATASETS["fsdkaggle2018"].expect | DATASETS["tut_urban_2018"].expect
        )
    if KIND in ("folders", "clips"):
        choice["other_labels"] = config["corpus"]["other_labels"]
    if KIND == "tut_rare2017":
        choice["expect"] = DATASETS["tut_rare_2017"].expect
    if KIND == "esc50" and SOURCES == ESC50_FOLDERS[-1:]:
        choice["expect_clips"] = DATASETS["esc50"].expect["clips"]
    return choice


def folder_of_sources(wildcards, input):
    """Folder that the corpus is listed from: ESC-50's own, else the one that holds the sources."""
    first = Path(input.sources[0])
    return str(first if KIND == "esc50" else first.parent)


def own_files():
    """The user's own recordings and what describes them; not the times of events.

    Those are for scoring only: they list, inspect and train nothing anew.
    """
    root = Path(DATA_ROOT)
    if KIND == "folders":
        parts = [root / "events", root / "scenes"]
        return [
            root / "attribution.csv",
            *(p for part in parts for p in part.rglob("*")),
        ]
    with open(root / "clips.csv", encoding="utf-8-sig", errors="replace") as stream:
        names = (row.get("path") for row in csv.DictReader(stream))
        try:
            listed = [name for name in names if name and is_one_line(name)]
        except csv.Error:  # the job that lists the clips says what is wrong
            listed = []
    return [root / name for name in ("clips.csv", "attribution.csv", *listed)]


@functools.cache
def state_of_sources():
    """A digest of names, sizes and times of the user's own recordings, which may change."""
    return files_digest(own_files()) if KIND in ("folders", "clips") else ""
