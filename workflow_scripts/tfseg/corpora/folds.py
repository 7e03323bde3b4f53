"""Dealing recordings to folds."""

import numpy as np

from tfseg.seeding import generator


def deal_groups(groups, strata, n_folds, seed, *names):
    """Deal whole groups to folds, evenly within each stratum.

    Parameters
    ----------
    groups : sequence of str, length n
        Recordings of one group always land in one fold. Give each recording its own group to
        split file-wise, as the released code does.
    strata : sequence of str, length n
        E.g. the labels: the groups of each stratum are shuffled and dealt in turn. A group must
        lie in one stratum.
    n_folds : int >= 2
    seed : int
    *names : str or int
        Further names for the seed.

    Returns
    -------
    folds : np.ndarray [shape=(n,), dtype=int64, values 1..n_folds]
    """
    stratum_of = {}
    for group, stratum in zip(groups, strata, strict=True):
        if stratum_of.setdefault(group, stratum) != stratum:
            raise ValueError(f"group {group} is in two strata: {stratum_of[group]}, {stratum}")
    fold_of = {}
    turn = 0  # goes on across strata, so that small strata do not all favour fold 1
    for stratum in sorted(set(strata)):
        members = np.array(sorted(g for g, s in stratum_of.items() if s == stratum))
        generator(seed, "folds", *names, stratum).shuffle(members)
        for group in members:
            fold_of[str(group)] = turn % n_folds + 1
            turn += 1
    return np.array([fold_of[group] for group in groups], dtype=np.int64)
