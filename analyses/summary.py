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


def table(metrics):
    """Lines of a Markdown table, columns of equal width: it is read on a console too."""
    rows = metrics[(metrics["class"] == "macro") & (metrics["fold"] == "all")]
    mean = rows.groupby(["seed", "system", "task", "metric", "variant"])["value"].mean()
    cells = [["repeat", "system", *(heading for *_, heading in SHOWN)]]
    for seed in sorted(rows["seed"].unique()):
        for system in rows.loc[rows["task"] == "tagging", "system"].unique():
            values = [
                mean.get((seed, system, task, metric, kind), float("nan"))
                for task, metric, kind, _ in SHOWN
            ]
            cells.append([str(seed), system, *(f"{v:.3f}" if v == v else "–" for v in values)])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    return [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]


def main(path):
    """Print the table."""
    print("\n".join(table(read_metrics(path))))


if __name__ == "__main__":
    main(sys.argv[1])
