# Checks of the configuration, and the closed sets that span the grid. What a config implies, where
# files lie and which of them a job needs is said by tfseg.run: experiment, paths, inputs.

import functools

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.script import PythonScript

from tfseg.settings.checks import (
    check_command_line,
    check_config,
    check_config_files,
)
from tfseg.settings.comparing import sorted_keys
from tfseg.settings.recipes import merged
from tfseg.datasets.corpora import find_source
from tfseg.datasets.downloads import Downloads
from tfseg.datasets.registry import load_registry
from tfseg.models.registry import with_defaults
from tfseg.io.digests import contents_digest
from tfseg.run.digest import code_digest, training_digest
from tfseg.errors import ConfigError, TfsegError
from tfseg.reporting.figures.registry import find_figures
from tfseg.run.experiment import Experiment
from tfseg.run.figure_inputs import FigureInputs
from tfseg.run.given_recordings import GivenRecordings
from tfseg.run.inputs import Inputs, files_in
from tfseg.run.paths import paths_of_run
from tfseg.run.scheduler import keep_one_timer
from tfseg.run.script_command import quote_python
from tfseg.snr import snr_from_path, snr_to_path

quote_python(PythonScript)


def of_workflow(path):
    """Path of a file that comes with this workflow, seen from the folder that it runs in."""
    return os.path.relpath(ROOT / path)


with open(ROOT / "config.yaml", encoding="utf-8") as stream:
    DEFAULTS = yaml.safe_load(stream)
# A workflow that uses this one as a module says only what differs. And a pooling, trunk or network
# of one's own needs no entry in config.yaml.
config.update(with_defaults(merged(DEFAULTS, config)))
try:
    check_config_files(workflow.configfiles)
    if workflow.is_main_process:  # jobs get what was read, spelled anew
        check_command_line(sys.argv, config)
    check_config(config)
    REGISTRY = config["download"]["registry"]
    if not Path(REGISTRY).exists():
        REGISTRY = of_workflow(REGISTRY)
    DOWNLOADS = Downloads(load_registry(REGISTRY), config["data_root"])
    SOURCE = find_source(config, DOWNLOADS)
except ConfigError as error:
    raise WorkflowError(str(error))

DATA_ROOT = config["data_root"]

EXPERIMENT = Experiment(config)
PATHS = paths_of_run(
    config["run"],
    example_snr=EXPERIMENT.example_snr_db,
    example_fold=config["figures"]["fold"],
)
INPUTS = Inputs(EXPERIMENT, PATHS)
FIGURES = find_figures()
FIGURE_INPUTS = FigureInputs(INPUTS, FIGURES)
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
EMBEDDED_AUDIO = [PATHS.corpus_audio] if SOURCE.corpus.renders else []

RECORDINGS, INSPECTION = PATHS.recordings, PATHS.inspection
CORPUS_REPORT, LICENCES = PATHS.corpus_report, PATHS.licences


wildcard_constraints:
    folder="|".join(DOWNLOADS.absent_folders) or "(?!)",
    archive="|".join(DOWNLOADS.archives),
    dataset="|".join(DOWNLOADS.datasets),
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
    return code_digest(f"{LIBRARY}/{rule_name}.py")


def own_changes():
    """Where this experiment differs from config.yaml, which is the paper's."""
    return EXPERIMENT.changes(DEFAULTS)


def templates_code():
    """Digest of the templates behind every page, which no script imports."""
    folder = Path(LIBRARY, "tfseg/reporting/pages/templates")
    return contents_digest(folder.iterdir())


def code_of_system(system):
    """Digest of the network behind a name: its parts are imported by their names."""
    return code_digest("tfseg.models.systems:build_network", *RECIPES[system].builders)


def model_code(wildcards):
    """`code_of_system` of a job."""
    return code_of_system(wildcards.system)


def figure_code(wildcards):
    """Digest of the module of a figure, which is imported by its name."""
    folder = f"{LIBRARY}/tfseg/reporting/figures"
    return code_digest(f"{folder}/{wildcards.figure}.py")


def training_code(wildcards):
    """Digest of what decides a training's result: a state of other code is not resumed from.

    Its own network, its teachers', the loop and the data reader; no other system, no file helper.
    """
    builders, system = [], wildcards.system
    while system is not None:
        builders += RECIPES[system].builders
        system = RECIPES[system].teacher
    return training_digest(f"{LIBRARY}/train_model.py", *builders)


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
