"""Print ratios and differences between a run's systems and its reference system, as Markdown.

    python analyses/compared.py results/compare/comparisons.csv [--snr all] [--systems unet ...]

Rows are macro averages over classes and means over SNRs and repeats. Intervals are paired
bootstraps over clips.
"""

import argparse

import pandas as pd

# Metrics in dB are compared by their difference, all others by their ratio.
IN_DB = ("si_sdr_improvement", "capi_sdri")


def _printed(form, *values):
    """Format numbers; a dash if one is missing, since the reference may have no score."""
    return "–" if "" in values else form.format(*map(float, values))


def rows(path, snr, systems=None):
    """Compute one row per measure, variant and system (all, or those given)."""
    texts = {"task": str, "metric": str, "class": str, "variant": str, "system": str}
    table = pd.read_csv(path, dtype=texts | {"snr_db": str}, keep_default_na=False)
    for column, wanted in (("snr_db", [snr]), ("system", systems or [])):
        known = list(dict.fromkeys(table[column]))
        unknown = [name for name in wanted if name not in known]
        if unknown:
            raise SystemExit(
                f"{path}: expected {column} of {', '.join(known) or 'no rows'}; got {', '.join(unknown)}"
            )
    table = table[(table["snr_db"] == snr) & (table["system"].isin(systems or table["system"]))]
    for row in table.itertuples():
        in_db = row.metric in IN_DB
        kind = "difference" if in_db else "ratio"
        value, low, high = (getattr(row, name) for name in (kind, f"{kind}_low", f"{kind}_high"))
        yield {
            "measure": f"{row.task} {row.metric}",
            "variant": row.variant,
            "system": row.system,
            "value": f"{float(row.value):.3f}",
            row.reference: f"{float(row.reference_value):.3f}",
            "ratio, or difference in dB": _printed("{:+.2f} dB" if in_db else "{:.2f}", value),
            "95 % interval": _printed("{:.2f} to {:.2f}", low, high),
        }


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("comparisons")
    parser.add_argument("--snr", default="all")
    parser.add_argument("--systems", nargs="+")
    arguments = parser.parse_args()
    found = list(rows(arguments.comparisons, arguments.snr, arguments.systems))
    columns = list(found[0])
    print("|", " | ".join(columns), "|")
    print("|" + "---|" * len(columns))
    for row in found:
        print("|", " | ".join(row.values()), "|")


if __name__ == "__main__":
    main()
