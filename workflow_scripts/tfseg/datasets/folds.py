"""Assignment of recordings to folds, and to the training and validation parts of a fold."""

import numpy as np

from tfseg.job.seeding import generator

# Parts of a training fold: for training, and for tuning thresholds.
TRAIN, VALIDATION = "train", "validation"


def deal_groups(groups, strata, n_folds, seed, *names):
    """Assign whole groups to folds, evenly within each stratum.

    Parameters
    ----------
    groups : sequence of str, length n
        Recordings of one group are always in one fold. For a split by file, as in the released
        code, each recording is its own group.
    strata : sequence of str, length n
        For example the labels. The groups of each stratum are shuffled and assigned to the folds
        in turn. A group must be in one stratum.
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
    turn = 0  # continues across strata, so that small strata do not all favour fold 1
    for stratum in sorted(set(strata)):
        members = np.array(sorted(g for g, s in stratum_of.items() if s == stratum))
        generator(seed, "folds", *names, stratum).shuffle(members)
        for group in members:
            fold_of[str(group)] = turn % n_folds + 1
            turn += 1
    return np.array([fold_of[group] for group in groups], dtype=np.int64)


def deal_parts(strata, share, seed, *names, dealt):
    """Assign whole groups to training and validation, within each stratum as far as possible.

    Parameters
    ----------
    strata : dict of tuple to set of str
        Groups by fold and label. A group may be in several strata.
    share : float in (0, 1)
        Share of each stratum's groups for validation: of two or more, at least one, but not all.
    seed : int
    *names : str or int
        Further names for the seed.
    dealt : dict of str to {"train", "validation"}
        Groups that already have a part; the others are added.
    """
    own = {group for groups in strata.values() for group in groups} - set(dealt)
    # The smallest stratum first, since it has the fewest choices.
    for stratum in sorted(strata, key=lambda stratum: (len(strata[stratum]), stratum)):
        groups = sorted(strata[stratum])
        free = np.array([group for group in groups if group not in dealt])
        generator(seed, "parts", *names, *stratum).shuffle(free)
        wanted = validation_share(len(groups), share) if len(groups) > 1 else 0
        has = [dealt[group] for group in groups if group in dealt]
        to_keep = 0 if TRAIN in has else 1
        n_more = max(0, min(wanted - has.count(VALIDATION), len(free) - to_keep))
        for index, group in enumerate(free):
            dealt[str(group)] = VALIDATION if index < n_more else TRAIN
    _mend(strata, dealt, own)


def _mend(strata, dealt, own):
    """Change the part of groups in strata with one part only, if no other stratum loses a part.

    Strata share groups, so the assignment one by one may leave some with a single part.
    """
    strata_of = {}
    for groups in strata.values():
        for group in groups:
            strata_of.setdefault(group, []).append(groups)

    def is_spare(group):
        return all(
            sum(dealt[other] == dealt[group] for other in groups) > 1 for groups in strata_of[group]
        )

    for stratum in sorted(strata):
        groups = sorted(strata[stratum] & own)
        if len(strata[stratum]) > 1 and len({dealt[group] for group in strata[stratum]}) == 1:
            spare = next(filter(is_spare, groups), None)
            if spare is not None:
                dealt[spare] = VALIDATION if dealt[spare] == TRAIN else TRAIN


def validation_share(n_items, share):
    """Return the number of items for validation: at least one, but not all."""
    return min(max(round(share * n_items), 1), n_items - 1) if share else 0
