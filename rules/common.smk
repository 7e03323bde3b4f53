# Checks of the configuration, the closed sets that span the grid, and the paths of every stage.

from snakemake.exceptions import WorkflowError

from tfseg.config import check_config, sorted_keys
from tfseg.corpora.registry import load_registry
from tfseg.digest import code_digest
from tfseg.errors import ConfigError

try:
    check_config(config)
except ConfigError as error:
    raise WorkflowError(str(error))

DATA_ROOT = config["data_root"]
DATASETS = load_registry(config["download"]["registry"])
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

RUN = config["run"]
RESULTS = f"results/{RUN}"
CLASSES = config["corpus"]["classes"]
FOLDS = list(range(1, config["split"]["folds"] + 1))
SHARDS = list(
    range(-(-config["mixing"]["mixtures_per_fold"] // config["mixing"]["shard_size"]))
)
SNRS = [f"{snr_db:g}" for snr_db in config["mixing"]["snr_db"]]
SYSTEMS = config["systems"]
REPEATS = list(range(config["repeats"]))

CORPUS = [
    f"{RESULTS}/corpus/{table}.csv" for table in ("events", "scenes", "attribution")
]
# The recordings themselves are intermediates only where the workflow renders them.
EMBEDDED_AUDIO = (
    [f"{RESULTS}/corpus/audio"] if config["corpus"]["kind"] == "embedded" else []
)
PLAN = [f"{RESULTS}/mixtures/{table}.csv" for table in ("mixtures", "events")]
STEMS = f"{RESULTS}/mixtures/stems/fold{{fold}}-{{shard}}.h5"
FEATURES = f"{RESULTS}/features/snr{{snr}}/fold{{fold}}-{{shard}}.h5"
MODEL_DIR = f"{RESULTS}/models/snr{{snr}}/{{system}}/fold{{fold}}/seed{{repeat}}"
MODEL = f"{MODEL_DIR}/model.safetensors"
DESCRIPTION = f"{MODEL_DIR}/model.json"
HISTORY = f"{MODEL_DIR}/history.csv"
# Not a declared output: Snakemake deletes those of a failed job, and this is what to resume from.
STATE = f"{RESULTS}/training_state/snr{{snr}}/{{system}}/fold{{fold}}/seed{{repeat}}.safetensors"
SCORE_DIR = f"{RESULTS}/scores/snr{{snr}}/{{system}}/fold{{fold}}/seed{{repeat}}"
SCORES = f"{SCORE_DIR}/scores.h5"
MASK_COUNTS = f"{SCORE_DIR}/mask_counts.h5"
EVENTS = f"{RESULTS}/events/snr{{snr}}/{{system}}/fold{{fold}}/seed{{repeat}}.tsv"
SYSTEM_METRICS = f"{RESULTS}/metrics/snr{{snr}}/{{system}}/seed{{repeat}}.csv"
METRICS = f"{RESULTS}/metrics.csv"
TASKS = ["tagging", "frame", "event", "mask"]
TABLES = expand(
    f"{RESULTS}/tables/{{task}}_by_{{by}}.{{ending}}",
    task=TASKS,
    by=["snr", "class"],
    ending=["csv", "md", "tex"],
)
PAPER_VALUES = (
    [f"resources/paper_tables/{config['compare_with']}.csv"]
    if config["compare_with"]
    else []
)
EXAMPLE = "{}/examples/snr{:g}-fold{}.h5".format(
    RESULTS, config["figures"]["snr_db"], config["figures"]["fold"]
)
FIGURES = expand(
    f"{RESULTS}/figures/{{figure}}.{{ending}}",
    figure=[
        "example_mixture",
        "example_masks",
        "example_frames",
        "training",
        "metrics_by_snr",
    ],
    ending=["png", "svg"],
)


wildcard_constraints:
    folder="|".join(ABSENT_FOLDERS) or "(?!)",
    archive="|".join(ARCHIVE_OF),
    dataset="|".join(DATASETS),
    fold="|".join(map(str, FOLDS)),
    shard="|".join(map(str, SHARDS)),
    snr="|".join(snr.replace(".", "[.]") for snr in SNRS),
    system="|".join(SYSTEMS),
    repeat="|".join(map(str, REPEATS)),


def section(name, *keys):
    """A section of the config (only some keys of it when given), for a rule's params."""
    values = config[name]
    return sorted_keys({key: values[key] for key in keys} if keys else values)


def grid():
    """The keys of `features` that make a time grid."""
    return section("features", "sample_rate", "window_length", "hop_length")


def code(rule_name):
    """Digest of the script of a rule and of the library modules behind it."""
    return code_digest(f"{workflow.basedir}/workflow_scripts/{rule_name}.py")


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


def training_code():
    """Digest of what decides a training's result: a state of other code is not resumed from.

    Narrower than `code`: a new progress bar does not throw 36 hours of training away.
    """
    library = f"{workflow.basedir}/workflow_scripts/tfseg"
    return code_digest(
        *(f"{library}/{m}.py" for m in ("training", "models/systems", "dataset"))
    )


def training_features(wildcards):
    """Feature files of all folds but the held-out one."""
    folds = [fold for fold in FOLDS if fold != int(wildcards.fold)]
    return expand(FEATURES, snr=wildcards.snr, fold=folds, shard=SHARDS)


def held_out_features(wildcards):
    """Feature files of the held-out fold."""
    return expand(FEATURES, snr=wildcards.snr, fold=wildcards.fold, shard=SHARDS)
