"""Check relations of a run's separation scores that hold for any trained model.

    python analyses/known_answers.py [--order] results/mini/metrics.csv

At 0 dB, for every class and in the mean over clips: the ideal binary mask separates better (SDR)
than every system and than no separation; and no separation has SDR = SIR and an SAR above 80 dB.
Exits with 1 and says which class and system do not.

With --order also the order of the demo's systems, in macro averages over SNRs and folds: of the
papers' poolings gwrp has the highest frame F1 and mask F1 and gmp the lowest mask AUC, and unet is
ahead of all three in tags (mAP), frames and masks (F1).
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow_scripts"))

from tfseg.evaluation.records import read_metrics

_IDEAL = ("ibm", "irm")
_LEAST_SAR_DB = 80.0
_ROUNDING_DB = 1e-6


def failures(metrics):
    """Describe the relations that do not hold in a run's tidy metrics."""
    rows = metrics[
        (metrics["task"] == "separation")
        & (metrics["variant"] == "published")
        & (metrics["fold"] == "all")
        & (metrics["snr_db"] == 0)
        & (metrics["class"] != "macro")
    ]
    values = rows.pivot_table(index=["seed", "class", "system"], columns="metric", values="value")
    if values.empty:
        return ["expected separation scores at 0 dB, found none"]
    found = []
    for (seed, label), of_class in values.groupby(level=["seed", "class"]):
        of_class = of_class.droplevel(["seed", "class"])
        ideal_db = of_class.loc["ibm", "sdr"]
        for system, row in of_class.drop(index=list(_IDEAL)).iterrows():
            if not row["sdr"] < ideal_db:
                found.append(
                    f"repeat {seed}, {label}: {system} has an SDR of {row['sdr']:.2f} dB, "
                    f"expected less than the ideal binary mask's {ideal_db:.2f} dB"
                )
        untouched = of_class.loc["no_separation"]
        if not abs(untouched["sdr"] - untouched["sir"]) < _ROUNDING_DB:
            found.append(f"repeat {seed}, {label}: no separation has SDR other than SIR")
        if not untouched["sar"] > _LEAST_SAR_DB:
            found.append(f"repeat {seed}, {label}: no separation has an SAR of {untouched['sar']}")
    return found


def _order(values, name, best, others):
    """Sentences about systems that are not below another in a metric."""
    return [
        f"repeat {seed}: {name} of {best} is {row[best]:.3f}, expected more than {other}'s {row[other]:.3f}"
        for seed, row in values.iterrows()
        for other in others
        if not row[best] > row[other]
    ]


def order_failures(metrics):
    """Sentences about systems of the demo that are not in the expected order."""
    rows = metrics[
        (metrics["class"] == "macro")
        & (metrics["fold"] == "all")
        & (metrics["variant"] == "published")
    ]
    found = []
    for task, metric, best, others in (
        ("frame", "f1", "gwrp", ("gmp", "gap")),
        ("mask", "f1", "gwrp", ("gmp", "gap")),
        ("mask", "auc", "gap", ("gmp",)),
        ("mask", "auc", "gwrp", ("gmp",)),
        ("tagging", "map", "unet", ("gmp", "gap", "gwrp")),
        ("frame", "f1", "unet", ("gmp", "gap", "gwrp")),
        ("mask", "f1", "unet", ("gmp", "gap", "gwrp")),
    ):
        of_metric = rows[(rows["task"] == task) & (rows["metric"] == metric)]
        values = of_metric.pivot_table(index="seed", columns="system", values="value")
        missing = sorted({best, *others} - set(values.columns))
        if missing:
            found.append(f"{task} {metric}: expected scores of {', '.join(missing)}, found none")
        else:
            found += _order(values, f"{task} {metric}", best, others)
    return found


def main():
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("metrics", metavar="METRICS_CSV")
    parser.add_argument("--order", action="store_true", help="also the order of the demo's systems")
    arguments = parser.parse_args()
    metrics = read_metrics(arguments.metrics)
    found = failures(metrics) + (order_failures(metrics) if arguments.order else [])
    held = "known answers of separation" + (" and the order of systems" if arguments.order else "")
    print("\n".join(found) or f"{arguments.metrics}: {held} hold")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
