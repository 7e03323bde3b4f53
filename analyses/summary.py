"""Average a run's macro metrics over SNRs and folds, by repeat and system, as Markdown.

python analyses/summary.py results/mini/metrics.csv
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow_scripts"))

from tfseg.evaluation.records import read_metrics

SHOWN = [
    ("tagging", "map", "published", "tag mAP"),
    ("tagging", "map", "shuffled", "tag mAP, shuffled"),
    ("frame", "f1", "published", "frame F1"),
    ("event", "f1", "published", "event F1"),
    ("mask", "f1", "published", "mask F1"),
    ("mask", "auc", "published", "mask AUC"),
]


def main(path):
    """Print the table."""
    metrics = read_metrics(path)
    rows = metrics[(metrics["class"] == "macro") & (metrics["fold"] == "all")]
    mean = rows.groupby(["seed", "system", "task", "metric", "variant"])["value"].mean()
    print("| repeat | system | " + " | ".join(heading for *_, heading in SHOWN) + " |")
    print("|---|---|" + "---|" * len(SHOWN))
    for seed in sorted(rows["seed"].unique()):
        for system in rows.loc[rows["task"] == "tagging", "system"].unique():
            values = [mean[seed, system, task, metric, kind] for task, metric, kind, _ in SHOWN]
            print(f"| {seed} | {system} | " + " | ".join(f"{v:.3f}" for v in values) + " |")


if __name__ == "__main__":
    main(sys.argv[1])
