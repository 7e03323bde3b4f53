"""Restrictions on mixtures and weights by the licences of their recordings."""

import re

_RESTRICTED = re.compile(
    r"non.?commercial|not for commercial|(?<![a-z])nc(?![a-z])|academic|experimental|sampling\+",
    re.I,
)


def licence_terms(recordings):
    """Summarise the licences of recordings.

    Returns
    -------
    terms : dict
        ``licences`` (text to number of recordings) and ``restricted`` (licences whose text
        restricts commercial use).
    """
    counts = recordings["licence"].value_counts().sort_index()
    licences = {str(text): int(n) for text, n in counts.items()}
    return {
        "licences": licences,
        "restricted": [text for text in licences if _RESTRICTED.search(text)],
    }


def joined_terms(terms, others):
    """Join the terms of two sets of recordings; a recording in both counts twice.

    Parameters
    ----------
    terms, others : dict
        With at least the keys that `licence_terms` returns.
    """
    first, second = terms["licences"], others["licences"]
    return {
        "licences": {
            text: first.get(text, 0) + second.get(text, 0) for text in sorted({*first, *second})
        },
        "restricted": sorted({*terms["restricted"], *others["restricted"]}),
    }


def announce(terms, what, log=print):
    """Warn, where mixtures or weights are made, of restrictions by their recordings."""
    if terms["restricted"]:
        log(
            f"LICENCE: {what} derive from recordings whose licences restrict commercial use "
            f"({'; '.join(terms['restricted'][:3])}). Check the licences before you publish or "
            "share anything made from them: corpus/attribution.csv lists every recording."
        )
