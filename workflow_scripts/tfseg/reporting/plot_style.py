"""Looks of systems in figures: each has a unique combination of colour, dashes and marker."""

from tfseg.models import registry

# Okabe and Ito's colours, which colour-blind readers can distinguish; dashes and markers help too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES = ("-", "--", "-.", ":")
_MARKERS = "osD^vPX"


def _look(colour, turn):
    """Return the look for the `turn`-th use of a colour."""
    return {
        "color": COLOURS[colour],
        "linestyle": _DASHES[(colour + turn) % len(_DASHES)],
        "marker": _MARKERS[(colour + turn) % len(_MARKERS)],
    }


def class_look(index):
    """Return colour and dashes of the line of the `index`-th class of a figure."""
    colour = index % len(COLOURS)
    return {"color": COLOURS[colour], "linestyle": _DASHES[colour % len(_DASHES)]}


def system_styles(systems):
    """Return colour, dashes and marker of each system of a run.

    A registered system has the same look in every run. Variants take unused colours from the end of
    the palette, as long as there are any. So the only variant of a run looks the same in all runs.

    Parameters
    ----------
    systems : sequence of str
        All systems of the run, so that its figures agree.

    Returns
    -------
    styles : dict of str to dict
        `color`, `linestyle` and `marker`, as matplotlib takes them.
    """
    registered = {
        name: (place % len(COLOURS), place // len(COLOURS))
        for place, name in enumerate(registry.systems())
    }
    places = {name: registered[name] for name in systems if name in registered}
    free = [
        (colour, turn) for turn in range(len(_DASHES)) for colour in reversed(range(len(COLOURS)))
    ]
    for name in systems:
        if name in places:
            continue
        colours = {colour for colour, _ in places.values()}
        left = [place for place in free if place not in places.values()] or free
        places[name] = min(left, key=lambda place: (place[0] in colours, place[1]))
    return {name: _look(*place) for name, place in places.items()}
