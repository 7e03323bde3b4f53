# tfseg: sound event detection and time-frequency segmentation from weak labels.
#
#   snakemake --cores all --resources gpu=1                                          the paper's experiment
#   snakemake --cores all --resources gpu=1 --configfile experiments/<name>.yaml     another one
#
# Results go to results/<run>/. docs/architecture.md says what flows where.

import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


sys.path.insert(0, str(Path(workflow.basedir) / "workflow_scripts"))


include: "rules/common.smk"


onstart:
    keep_one_timer(workflow.scheduler)


# Asked for with --sdm apptainer; no run without that looks at it.
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


# Every intermediate is asked for, so that one that was deleted is made again.
rule all:
    default_target: True
    input:
        CORPUS.values(),
        PLAN,
        [] if IS_CLIPS else of_shards(STEMS, FOLDS),
        of_shards(FEATURES, FOLDS, snr=SNRS),
        expand(MODEL, snr=SNRS, system=SYSTEMS, fold=HELD_OUT, repeat=REPEATS),
        expand(
            [DETECTION, CARD], snr=SNRS, system=SYSTEMS, fold=HELD_OUT, repeat=REPEATS
        ),
        expand(SCORES, snr=SNRS, system=SYSTEMS, fold=HELD_OUT, repeat=REPEATS),
        expand(MASK_COUNTS, snr=SNRS, system=SYSTEMS, fold=HELD_OUT, repeat=REPEATS),
        expand(EVENTS, snr=SNRS, system=SYSTEMS, fold=HELD_OUT, repeat=REPEATS),
        expand(
            [TUNING, TUNED_EVENTS] if TUNES else [],
            snr=SNRS,
            system=SYSTEMS,
            fold=HELD_OUT,
            repeat=REPEATS,
        ),
        METRICS,
        INTERVALS,
        COMPARISONS,
        TABLES,
        LEADERBOARD,
        EXAMPLE,
        FIGURES,
        SOUNDSCAPES,
        LISTENING,
        REPORT,
    message:
        "All results of this run are in place"


rule export:
    input:
        models_to_export,
    message:
        "The models are written as ONNX: {input}"


rule apply:
    input:
        f"{APPLIED}/.status/all_done",
        f"{APPLIED}/summary.csv",
    message:
        "Results: results/<run>/applied/index.html"
