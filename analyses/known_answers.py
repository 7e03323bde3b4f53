"""Check relations of a run's separation scores that hold for any trained model.

    python analyses/known_answers.py results/mini/metrics.csv

At 0 dB, for every class and in the mean over clips, the ideal binary mask has a higher SDR than
every system and than no separation. No separation has SDR = SIR and an SAR above 80 dB. If a
relation does not hold, the exit status is 1, and the output names class and system.
"""

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


def main(path):
    """Print the result of the check."""
    found = failures(read_metrics(path))
    print("\n".join(found) or f"{path}: known answers of separation hold")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
