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


def announce(terms, what, log=print):
    """Warn, where mixtures or weights are made, of restrictions by their recordings."""
    if terms["restricted"]:
        log(
            f"LICENCE: {what} derive from recordings whose licences restrict commercial use "
            f"({'; '.join(terms['restricted'][:3])}). Check the licences before you publish or "
            "share anything made from them: corpus/attribution.csv lists every recording."
        )
