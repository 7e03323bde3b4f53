"""From the parts to ``gpu.json`` and a table in Markdown for each kind of evidence."""

from collections import defaultdict
from pathlib import Path

import numpy as np

from tfseg.io.files import write_json, write_text

REFERENCE = "gwrp"
_TITLES = {
    "targets": "What is expected of an H100 or H200",
    "checks": "The device gives the CPU's results",
    "rates": "Measured rates of the device",
    "steps": "Training step",
    "busy": "Share of a step in which the GPU computes",
    "inference": "Inference",
    "sound": "Features and long recordings",
    "at_once": "Trainings at once",
    "corpus": "Corpus and features",
    "trainings": "Trainings at the paper's size, each on one fold",
    "scores": "Scores of these trainings, means of the folds",
    "ratios": f"The same, divided by those of {REFERENCE}",
}


def cell(value):
    """Text of a table's cell."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "**NO**"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def table(rows):
    """Rows (dicts) as a table in Markdown; a row without a key has a dash there."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [columns, ["---"] * len(columns)]
    lines += [[cell(row.get(column)) for column in columns] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def score_rows(trainings):
    """Means over the folds of each system's scores, and their ratio to the reference's."""
    by_system = defaultdict(list)
    for row in trainings:
        by_system[row["system"]].append(row)
    own = ("system", "held-out fold", "iterations")
    means = [
        {"system": system, "folds": len(rows)}
        | {key: float(np.mean([row[key] for row in rows])) for key in rows[0] if key not in own}
        for system, rows in by_system.items()
    ]
    reference = next((row for row in means if row["system"] == REFERENCE), None)
    # Ratios of means over different folds would compare folds.
    ratios = [
        {"system": row["system"]}
        | {
            key: row[key] / reference[key]
            for key in row
            if key not in ("system", "folds", "training s", "last loss") and reference[key]
        }
        for row in means
        if reference and row["folds"] == reference["folds"]
    ]
    return means, ratios


def target_rows(tables):
    """What is expected of an H100 or H200 beside what was found; a miss is no failed check."""
    wanted = [
        ("steps", {"system": "gwrp", "mode": "graph"}, "step ms", 7.0, True),
        ("steps", {"system": "gwrp", "mode": "graph"}, "ratio", 3.0, False),
        ("steps", {"system": "unet", "mode": "graph"}, "step ms", 1.0, True),
        ("busy", {"system": "gwrp"}, "busy %", 90.0, False),
        ("trainings", {"system": "gwrp"}, "training s", 90.0, True),
    ]
    rows = []
    for name, keys, column, limit, at_most in wanted:
        found = [
            row[column]
            for row in tables[name]
            if all(row[key] == value for key, value in keys.items())
        ]
        if found:
            worst = max(found) if at_most else min(found)
            what = f"{' '.join(keys.values())}: {column}"
            expected = f"at {'most' if at_most else 'least'} {limit:g}"
            met = worst <= limit if at_most else worst >= limit
            rows.append({"what": what, "expected": expected, "found": worst, "met": met})
    return rows


def collect(results):
    """Rows of each table, from the results of the parts in their order."""
    tables = defaultdict(list)
    for result in results:
        tables[result["table"]] += result["rows"]
    tables["scores"], tables["ratios"] = score_rows(tables["trainings"])
    tables["targets"] = target_rows(tables)
    return {name: tables[name] for name in _TITLES if tables[name]}


def write_tables(folder, results, facts, missing):
    """Write all tables, and ``gpu.json`` with the same rows.

    Parameters
    ----------
    folder : path-like
    results : list of dict
        Of the parts that are done.
    facts : dict
        Of device and code.
    missing : list of str
        Names of parts that are not done.
    """
    failed = [result["part"] for result in results if result["error"] or _failed(result["rows"])]
    errors = {result["part"]: result["error"] for result in results if result["error"]}
    tables = collect(results)
    where = ", ".join(f"{key} {cell(value)}" for key, value in facts.items())
    state = (
        f"Not done: {', '.join(missing) or 'nothing'}. Failed: {', '.join(failed) or 'nothing'}."
    )
    for name, rows in tables.items():
        text = f"{_TITLES[name]}\n\n{where}\n\n{state}\n\n{table(rows)}"
        write_text(Path(folder, f"{name}.md"), text)
    value = {"machine": facts, "tables": tables, "missing": missing, "errors": errors}
    write_json(Path(folder, "gpu.json"), value | {"failed": failed})
    return failed


def _failed(rows):
    return [row for row in rows if not row.get("passed", True)]
