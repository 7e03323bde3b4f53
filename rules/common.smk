# Checks of the configuration, and the closed sets that span the grid. What a config implies, where
# files lie and which of them a job needs is said by tfseg.run: experiment, paths, inputs.

import csv
import functools

import yaml
from snakemake.exceptions import WorkflowError

from tfseg.settings.checks import check_config, check_config_files
from tfseg.settings.comparing import sorted_keys
from tfseg.datasets.registry import load_registry
from tfseg.models.registry import with_defaults
from tfseg.run.digest import (
    code_digest,
    contents_digest,
    files_digest,
    training_digest,
)
from tfseg.errors import ConfigError, TfsegError
from tfseg.reporting.figures.registry import find_figures
from tfseg.run.experiment import Experiment
from tfseg.run.figure_inputs import input_files, parameters
from tfseg.run.given_recordings import GivenRecordings
from tfseg.run.inputs import Inputs, files_in
from tfseg.run.paths import paths_of_run
from tfseg.run.scheduler import keep_one_timer
from tfseg.settings.validation import is_one_line
from tfseg.snr import snr_from_path, snr_to_path

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

EXPERIMENT = Experiment(config)
PATHS = paths_of_run(
    config["run"],
    example_snr=EXPERIMENT.example_snr_db,
    example_fold=config["figures"]["fold"],
)
INPUTS = Inputs(EXPERIMENT, PATHS)
FIGURES = find_figures()
RESULTS = PATHS.results
KIND, IS_CLIPS, TUNES = EXPERIMENT.kind, EXPERIMENT.is_clips, EXPERIMENT.tunes
CLASSES, SYSTEMS = EXPERIMENT.classes, EXPERIMENT.systems
FOLDS, HELD_OUT, REPEATS = EXPERIMENT.folds, EXPERIMENT.held_out, EXPERIMENT.repeats
# As in paths.
SNRS = [snr_to_path(snr_db) for snr_db in EXPERIMENT.snrs_db]
RECIPES = EXPERIMENT.recipes
CORPUS = {
    table: PATHS.corpus_table.format(table=table) for table in EXPERIMENT.corpus_tables
}
# The recordings themselves are intermediates only where the workflow renders them.
EMBEDDED_AUDIO = [PATHS.corpus_audio] if KIND == "embedded" else []

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

RECORDINGS, INSPECTION = PATHS.recordings, PATHS.inspection
CORPUS_REPORT, LICENCES = PATHS.corpus_report, PATHS.licences


wildcard_constraints:
    folder="|".join(ABSENT_FOLDERS) or "(?!)",
    archive="|".join(ARCHIVE_OF),
    dataset="|".join(DATASETS),
    fold="|".join(map(str, FOLDS)),
    shard="[0-9]+",
    snr="|".join(snr.replace(".", "[.]") for snr in SNRS),
    system="|".join(SYSTEMS),
    repeat="|".join(map(str, REPEATS)),
    figure="|".join(FIGURES),


def growing(mem_mb):
    """Memory of a job in MB: as stated, and as much again with each retry (`--retries`)."""
    return lambda wildcards, attempt: mem_mb * attempt


# Sections of the config, for the params of rules.
section, grid = EXPERIMENT.section, EXPERIMENT.grid
event_settings, metric_settings = EXPERIMENT.event_settings, EXPERIMENT.metric_settings
fixed_thresholds = EXPERIMENT.fixed_thresholds


def code(rule_name):
    """Digest of the script of a rule and of the library modules behind it."""
    return code_digest(f"{workflow.basedir}/workflow_scripts/{rule_name}.py")


def own_changes():
    """Where this experiment differs from config.yaml, which is the paper's."""
    with open(f"{workflow.basedir}/config.yaml", encoding="utf-8") as stream:
        return EXPERIMENT.changes(yaml.safe_load(stream))


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


def plainly(function):
    """Let an error of the library that says all end the run as a message, not as a traceback."""

    @functools.wraps(function)
    def told(wildcards):
        try:
            return function(wildcards)
        except TfsegError as error:
            raise WorkflowError(str(error))

    return told


def snr_of(wildcards):
    """The SNR of a job as a number; None for clips that are used as recorded."""
    return snr_from_path(wildcards.snr)


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
