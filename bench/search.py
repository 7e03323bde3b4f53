r"""Search for the recommended system on validation clips of training folds.

    python bench/search.py prepare [--config data_root=/path/to/esc10]
    python bench/search.py run [--minutes 60] [--precision float32]
    python bench/search.py table [--reference unet_today]

`experiments/search/plan.yaml` lists corpora and stages, `experiments/search/candidates.yaml` the
candidates. `prepare` makes the features of all corpora (`snakemake --until extract_features`).

`run` trains each candidate of each stage on the training part of all folds but one, scores it on
the validation part of these folds (`split.validation`), and appends a line to
`results/search/rows.jsonl`. The fold that is held out is not opened. What has a line already is
skipped, so that a search can be stopped at any time. The plan is read anew before each training.

`table` prints the lines as Markdown: a table for each corpus and SNR with the mean over seeds and
their standard deviation, and the ratios to a reference candidate over all that both were trained
on.

Scores are those of `bench/recipes.py` (fixed thresholds; events also with the best settings of each
class on the same clips, an upper bound), and the SI-SDR improvement of the separated classes of
some of these clips with oracle tags. MMAC are per clip. CPU seconds are those of the training, on
one thread.
"""

import argparse
import functools
import hashlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is loaded

import numpy as np
import pandas as pd
import torch
import yaml
from harness import ROOT, read_config
from recipes import open_run, score, train_one
from systems import build

from tfseg.evaluation.bss_eval import si_sdr
from tfseg.evaluation.separation_scores import (
    draw_mixtures,
    labels_of_mixtures,
    separate_sample,
)
from tfseg.features.logmel import FeatureSettings
from tfseg.job.hardware import keep_freed_memory
from tfseg.job.seeding import derive_seed
from tfseg.mixing.remixing import StemReader
from tfseg.models.cost import network_cost

PLAN = ROOT / "experiments" / "search" / "plan.yaml"
ROWS = ROOT / "results" / "search" / "rows.jsonl"
KEYS = ("candidate", "corpus", "snr_db", "seed", "precision", "recipe")
SEPARATED_MIXTURES = 12
GAIN = "SI-SDRi, dB"
SHOWN = (
    "tag mAP",
    "frame F1",
    "mask F1",
    "mask AUC",
    "event F1",
    "event F1, best",
    GAIN,
)


def read_yaml(path):
    """Read a YAML file."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def run_of(corpus):
    """Name of a corpus's run, and so of its folder below ``results/``."""
    return f"search_{corpus}"


def config_of(plan, corpus):
    """Config of a corpus with all candidates."""
    files = [*plan["corpora"][corpus], plan["candidates"]]
    return read_config([ROOT / path for path in files]) | {"run": run_of(corpus)}


def recipe_digest(plan, candidate):
    """Digest of what the candidates' file says of one: with another recipe, it is trained again."""
    overlay = read_yaml(ROOT / plan["candidates"])
    variants = overlay.pop("variants")
    if candidate not in variants:
        raise SystemExit(
            f"{PLAN}: expected candidates of {plan['candidates']}, found {candidate!r}"
        )
    text = json.dumps([overlay, variants[candidate]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_rows():
    """Read the lines of all finished trainings."""
    if not ROWS.exists():
        return []
    return [json.loads(line) for line in ROWS.read_text(encoding="utf-8").splitlines()]


def trainings(plan, precision):
    """Yield the keys of each training of the plan, stage by stage."""
    for stage in plan["stages"]:
        for seed, snr_db, corpus, candidate in itertools.product(
            stage["seeds"], stage["snr_db"], stage["corpora"], stage["candidates"]
        ):
            digest = recipe_digest(plan, candidate)
            yield dict(zip(KEYS, (candidate, corpus, snr_db, seed, precision, digest), strict=True))


def next_training(precision):
    """Return the plan and the first training without a line; (plan, None) when all have one."""
    plan = read_yaml(PLAN)
    done = {tuple(row[key] for key in KEYS) for row in read_rows()}
    for keys in trainings(plan, precision):
        if tuple(keys.values()) not in done:
            return plan, keys
    return plan, None


# Features are small, and read once for all candidates.
opened = functools.lru_cache(maxsize=None)(open_run)


def separation_gain_db(network, config, held_out, snr_db, validation, labels):
    """Mean SI-SDR improvement of the separated classes of some validation clips, oracle tags."""
    folder = ROOT / "results" / config["run"] / "mixtures" / "stems"
    readers = [
        StemReader(path)
        for path in sorted(folder.glob("*.h5"))
        if not path.name.startswith(f"fold{held_out}-")
    ]
    wanted = set(validation.mixture)
    labels_of = {
        name: found for name, found in labels_of_mixtures(readers, labels).items() if name in wanted
    }
    drawn = draw_mixtures(labels_of, SEPARATED_MIXTURES, config["seed"], "search")
    gains_db = [
        si_sdr(reference, separation.estimates[label]["candidate"])
        - si_sdr(reference, separation.waveform)
        for separation in separate_sample(
            readers,
            drawn,
            {"candidate": network},
            FeatureSettings(**validation.settings),
            labels,
            validation.classes,
            snr_db=snr_db,
            tag_threshold=config["metrics"]["tag_threshold"],
        )
        for label, reference in separation.references.items()
    ]
    return float(np.mean(gains_db))


def run_one(plan, keys):
    """Train and score one candidate; return its line."""
    config = config_of(plan, keys["corpus"]) | {"precision": keys["precision"]}
    name, snr_db = keys["candidate"], keys["snr_db"]
    train, validation, labels = opened(config["run"], plan["held_out"], str(snr_db))
    seed = derive_seed(config["seed"], "search", keys["seed"])
    with tempfile.TemporaryDirectory() as states:
        network, cpu_s = train_one(config, name, train, seed, states, None)
    n_parameters, macs = network_cost(build(name, config), *validation.logmel[0].shape)
    scores = score(config, network, validation, labels)
    scores[GAIN] = separation_gain_db(network, config, plan["held_out"], snr_db, validation, labels)
    return keys | {
        "scores": {key: round(float(value), 5) for key, value in scores.items()},
        "cpu_s": round(cpu_s, 2),
        "parameters": n_parameters,
        "macs": macs,
        "computed_in": network.precision,
        "n_train": len(train.mixture),
        "n_validation": len(validation.mixture),
        "torch": torch.__version__,
    }


def run(minutes, precision):
    """Train what the plan has and no line has yet."""
    keep_freed_memory()
    ROWS.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    while minutes is None or time.monotonic() - started < 60 * minutes:
        plan, keys = next_training(precision)
        if keys is None:
            print("all of the plan is done")
            return
        row = run_one(plan, keys)
        with ROWS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        shown = {key: row["scores"][key] for key in SHOWN}
        print(*(row[key] for key in KEYS[:4]), shown, row["cpu_s"], flush=True)


def prepare(options):
    """Make the features of all corpora."""
    for corpus, files in read_yaml(PLAN)["corpora"].items():
        subprocess.run(
            [
                *(sys.executable, "-m", "snakemake", "--cores", "all", "--resources", "gpu=1"),
                *("--until", "extract_features", "--configfile", *files),
                *("--config", f"run={run_of(corpus)}", *options),
            ],
            cwd=ROOT,
            check=True,
        )


def as_frame(rows):
    """Make a table of the lines: a row each, scores as columns."""
    return pd.DataFrame(
        [
            {key: row[key] for key in KEYS}
            | row["scores"]
            | {"MMAC": row["macs"] / 1e6, "CPU s": row["cpu_s"]}
            for row in rows
        ]
    )


def _spread(values, digits):
    """Mean over seeds, and the standard deviation where there are several."""
    text = f"{values.mean():.{digits}f}"
    return f"{text} ± {values.std():.{digits}f}" if len(values) > 1 else text


def _markdown(lines):
    head, *rest = lines
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *rest))


def tables(frame):
    """Yield a title and a Markdown table for each corpus and SNR."""
    for (corpus, snr_db), cell in frame.groupby(["corpus", "snr_db"]):
        lines = [["candidate", "seeds", *SHOWN, "MMAC", "CPU s"]]
        for name, rows in cell.groupby("candidate", sort=False):
            lines.append(
                [
                    name,
                    str(len(rows)),
                    *(_spread(rows[key], 1 if key == GAIN else 3) for key in SHOWN),
                    *(f"{rows[key].mean():.0f}" for key in ("MMAC", "CPU s")),
                ]
            )
        yield f"{corpus}, {snr_db} dB", _markdown(lines)


def ratios(frame, reference):
    """Return a Markdown table of the ratios to a reference, over what both were trained on.

    The ratio of two means over corpora, SNRs and seeds; the SI-SDR improvement as a difference.
    """
    cells = ["corpus", "snr_db", "seed"]
    base = frame[frame["candidate"] == reference].set_index(cells)
    lines = [["candidate", "corpora", "trainings", *SHOWN, "MMAC", "CPU s"]]
    kind = frame["corpus"].str.partition("_")[0]
    for name, of_name in frame.groupby("candidate", sort=False):
        for corpus, rows in of_name.groupby(kind):
            rows = rows.set_index(cells)
            shared = rows.index.intersection(base.index)
            if name == reference or not len(shared):
                continue
            mean, of_base = (
                rows.loc[shared].mean(numeric_only=True),
                base.loc[shared].mean(numeric_only=True),
            )
            lines.append(
                [
                    name,
                    corpus,
                    str(len(shared)),
                    *(
                        f"{mean[key] - of_base[key]:+.1f}"
                        if key == GAIN
                        else f"{mean[key] / of_base[key]:.2f}"
                        for key in (*SHOWN, "MMAC", "CPU s")
                    ),
                ]
            )
    return _markdown(lines)


def table(reference, precision):
    """Print all tables, of the recipes as they are now."""
    plan = read_yaml(PLAN)
    known = read_yaml(ROOT / plan["candidates"])["variants"]
    rows = [
        row
        for row in read_rows()
        if row["precision"] == precision
        and row["candidate"] in known
        and row["recipe"] == recipe_digest(plan, row["candidate"])
    ]
    if not rows:
        raise SystemExit(f"{ROWS}: expected lines of `run`, found none")
    order = {name: place for place, name in enumerate(known)}
    frame = as_frame(sorted(rows, key=lambda row: order[row["candidate"]]))
    for title, text in tables(frame):
        print(f"{title}\n\n{text}\n")
    print(f"Ratios to {reference} (SI-SDRi: difference)\n\n{ratios(frame, reference)}")


def main():
    """Run a part of the search."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["prepare", "run", "table"])
    parser.add_argument("--config", nargs="+", default=[], help="of Snakemake, for prepare")
    parser.add_argument("--minutes", type=float, help="start no training after these")
    parser.add_argument("--precision", default="auto", choices=["auto", "float32", "bfloat16"])
    parser.add_argument("--reference", default="unet_today")
    arguments = parser.parse_args()
    if arguments.what == "prepare":
        prepare(arguments.config)
    elif arguments.what == "run":
        run(arguments.minutes, arguments.precision)
    else:
        table(arguments.reference, arguments.precision)


if __name__ == "__main__":
    main()
