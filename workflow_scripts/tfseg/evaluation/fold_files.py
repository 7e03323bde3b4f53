"""The files of a held-out fold, found by their keys: the order of a rule's inputs says nothing.

Imports nothing, so that the DAG can use it.
"""

import itertools
from dataclasses import dataclass


@dataclass(frozen=True)
class FoldFiles:
    """What one model made of one held-out fold.

    Parameters
    ----------
    scores, counts, events : str
        Paths.
    detections, tuned_events : str or None
        Where thresholds are tuned: those of the model, and the events that they find.
    """

    scores: str
    counts: str
    events: str
    detections: str | None = None
    tuned_events: str | None = None


def keys_of_files(patterns, wildcards=(), **values):
    """List the keys of each file of some patterns, for a rule's params.

    Parameters
    ----------
    patterns : sequence of str
        Paths with ``{name}`` where a key stands.
    wildcards : mapping of str to str
        Keys that all the files have in common; they are not listed.
    **values
        All values of each further key.

    Returns
    -------
    keys : dict of str to list
        Path to its values, in the order of `values`.
    """
    found = {}
    for pattern in patterns:
        for chosen in itertools.product(*values.values()):
            names = dict(wildcards) | dict(zip(values, chosen, strict=True))
            found[pattern.format(**names)] = list(chosen)
    return found


def paths_by_keys(paths, keys):
    """Find the file of each set of keys.

    Parameters
    ----------
    paths : iterable of str
        Of files of one kind, in any order.
    keys : dict of str to sequence
        As `keys_of_files` returns.

    Returns
    -------
    paths : dict of tuple to str

    Raises
    ------
    ValueError
        When two files have the same keys.
    """
    found = {}
    for path in paths:
        key = tuple(keys[path])
        if key in found:
            raise ValueError(f"expected one file of {key}, found {found[key]} and {path}")
        found[key] = path
    return found


def fold_files(keys, **paths):
    """Put the files of each fold together.

    Parameters
    ----------
    keys : dict of str to sequence
        As `keys_of_files` returns.
    **paths
        Files of each kind (a field of `FoldFiles`), in any order.

    Returns
    -------
    files : dict of tuple to FoldFiles
    """
    by_kind = {kind: paths_by_keys(of_kind, keys) for kind, of_kind in paths.items()}
    return {
        key: FoldFiles(**{kind: found[key] for kind, found in by_kind.items() if found})
        for key in by_kind["scores"]
    }
