# tfseg: sound event detection and time-frequency segmentation from weak labels.
#
# The paper's experiment, and another one:
#
#   snakemake --cores all --resources gpu=1
#   snakemake --cores all --resources gpu=1 --configfile experiments/<name>.yaml
#
# Results go to results/<run>/. docs/explanation/architecture.md describes the flow of data.

import os
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


include: "rules/place.smk"


# The folder of this workflow, which another workflow may use as a module.
ROOT = folder_of(workflow.current_basedir)
# Use this workflow's library, here and in the jobs, even if another one is installed.
LIBRARY = str(ROOT / "workflow_scripts")
sys.path.insert(0, LIBRARY)
os.environ.update(
    PYTHONPATH=os.pathsep.join(filter(None, [LIBRARY, os.getenv("PYTHONPATH")]))
)


include: "rules/common.smk"


onstart:
    keep_one_timer(workflow.scheduler)


# Used only with --sdm apptainer.
if config["container"]:

    container: config["container"]


include: "rules/download.smk"
include: "rules/corpus.smk"
include: "rules/mixtures.smk"
include: "rules/features.smk"
include: "rules/training.smk"
include: "rules/inference.smk"
include: "rules/separation.smk"
include: "rules/metrics.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/apply.smk"
include: "rules/report.smk"
include: "rules/export.smk"


# Every intermediate file is a target, so that a deleted one is made again.
rule all:
    default_target: True
    input:
        CORPUS.values(),
        PATHS.mixtures,
        PATHS.mixture_events,
        [] if IS_CLIPS else INPUTS.of_shards(PATHS.stems, FOLDS),
        [INPUTS.of_shards(PATHS.features, FOLDS, snr=snr) for snr in SNRS],
        INPUTS.of_trainings("model", "detection", "model_card"),
        INPUTS.of_trainings("scores", "mask_counts", "events"),
        INPUTS.of_trainings("tuning", "tuned_events") if TUNES else [],
        PATHS.metrics,
        PATHS.intervals,
        PATHS.comparisons,
        files_in(INPUTS.tables("csv", "md", "tex")),
        files_in(INPUTS.leaderboard("csv", "md", "tex")),
        PATHS.example,
        expand(PATHS.figure, figure=FIGURES, ending=["png", "svg"]),
        SOUNDSCAPES,
        PATHS.listening,
        PATHS.report,
    message:
        "All results of this run are in place"


rule export:
    input:
        plainly(INPUTS.models_to_export),
    message:
        "The models are written as ONNX: {input}"


rule apply:
    input:
        f"{PATHS.applied}/.status/all_done",
        f"{PATHS.applied}/summary.csv",
    message:
        "Results: results/<run>/applied/index.html"
