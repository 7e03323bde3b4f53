"""Differences of onsets and offsets between a run's detected events and the reference.

    python analyses/borders.py results/mini [--systems gwrp unet ...] [--events events_tuned]

A row per SNR and system, over all held-out folds and repeats. Its columns are the number of
reference events and the number of pairs: overlapping detected and reference events of the same clip
and class. For the pairs follow the median differences of onset and of offset from the reference in
seconds (negative: too early), and the share of onsets within 0.2 s.
"""

import argparse
from pathlib import Path

import pandas as pd

COLLAR_S = 0.2


def overlapping(true, detected):
    """Pair reference events of a fold with overlapping events of the same clip and class.

    Parameters
    ----------
    true : pd.DataFrame
        Columns mixture, label, onset_s, offset_s.
    detected : pd.DataFrame
        Columns filename, event_label, onset, offset.

    Returns
    -------
    pairs : pd.DataFrame
        The columns of both.
    """
    both = true.merge(detected, left_on=["mixture", "label"], right_on=["filename", "event_label"])
    return both[(both["onset"] < both["offset_s"]) & (both["offset"] > both["onset_s"])]


def rows(results, systems=None, events="events"):
    """Compute the rows of the table."""
    true = pd.read_csv(results / "mixtures" / "events.csv")
    found = []
    for folder in sorted(results.glob(f"{events}/snr*/*")):
        if systems and folder.name not in systems:
            continue
        n_true, parts = 0, []
        for path in sorted(folder.glob("fold*/seed*.tsv")):
            held_out = true[true["mixture"].str.startswith(f"{path.parent.name}-")]
            n_true += len(held_out)
            parts.append(overlapping(held_out, pd.read_csv(path, sep="\t")))
        pairs = pd.concat(parts)
        onset_s, offset_s = pairs["onset"] - pairs["onset_s"], pairs["offset"] - pairs["offset_s"]
        found.append(
            {
                "SNR": folder.parent.name.removeprefix("snr"),
                "system": folder.name,
                "true events": n_true,
                "overlapping pairs": len(pairs),
                "median onset error": onset_s.median(),
                "median offset error": offset_s.median(),
                "onsets within 0.2 s": (onset_s.abs() <= COLLAR_S).mean(),
            }
        )
    if not found:
        raise SystemExit(f"{results / events}: expected detected events of systems, found none")
    return found


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--systems", nargs="+", metavar="SYSTEM")
    parser.add_argument("--events", default="events", help="events, or events_tuned")
    arguments = parser.parse_args()
    table = pd.DataFrame(rows(arguments.results, arguments.systems, arguments.events))
    print(table.round(2).to_string(index=False))


if __name__ == "__main__":
    main()
