"""What may be done with mixtures and weights, by the licences of what they are made of."""

import re

_RESTRICTED = re.compile(
    r"non.?commercial|not for commercial|(?<![a-z])nc(?![a-z])|academic|experimental|sampling\+",
    re.I,
)


def licence_terms(recordings):
    """Sum up what may be done with mixtures and weights that are made of these recordings.

    Returns
    -------
    terms : dict
        ``licences`` (text to number of recordings) and ``restricted`` (those among them that
        restrict commercial use, by their words).
    """
    counts = recordings["licence"].value_counts().sort_index()
    licences = {str(text): int(n) for text, n in counts.items()}
    return {
        "licences": licences,
        "restricted": [text for text in licences if _RESTRICTED.search(text)],
    }


def announce(terms, what, log=print):
    """Say where mixtures or weights are made that their recordings restrict what may be done."""
    if terms["restricted"]:
        log(
            f"LICENCE: {what} derive from recordings under terms that restrict commercial use "
            f"({'; '.join(terms['restricted'][:3])}). Check them before you publish or share "
            "anything made of these: corpus/attribution.csv names every recording."
        )
