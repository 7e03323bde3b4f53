# Checks of the configuration, and the closed sets that span the grid. What a config implies, where
# files lie and which of them a job needs is said by tfseg.run: experiment, paths, inputs.

import functools

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.script import PythonScript

from tfseg.apply.events_table import EVENTS_TABLE, missing_for_parquet
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
from tfseg.errors import ConfigError, TfsegError
from tfseg.reporting.figures.registry import find_figures
from tfseg.run.experiment import Experiment
from tfseg.run.figure_inputs import FigureInputs
from tfseg.run.given_recordings import GivenRecordings
from tfseg.run.inputs import Inputs, files_in
from tfseg.run.paths import paths_of_run
from tfseg.run.rule_code import RuleCode
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
CODE = RuleCode(RECIPES)
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
baseline_settings = EXPERIMENT.baseline_settings
# Digests of code, likewise.
code, training_code, model_code = CODE.of_rule, CODE.of_training, CODE.of_model
code_of_system, figure_code = CODE.of_system, CODE.of_figure
templates_code = CODE.of_templates


def own_changes():
    """Where this experiment differs from config.yaml, which is the paper's."""
    return EXPERIMENT.changes(DEFAULTS)


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
