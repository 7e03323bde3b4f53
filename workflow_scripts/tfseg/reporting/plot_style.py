"""What systems look like in figures: a colour, dashes and a marker that tell each from all others."""

from tfseg.models import registry

# Okabe and Ito's colours, told apart by colour-blind readers; dashes and markers say it again.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES = ("-", "--", "-.", ":")
_MARKERS = "osD^vPX"


def _look(colour, turn):
    """Return the look of a colour that is used the `turn`-th time."""
    return {
        "color": COLOURS[colour],
        "linestyle": _DASHES[(colour + turn) % len(_DASHES)],
        "marker": _MARKERS[(colour + turn) % len(_MARKERS)],
    }


def class_look(index):
    """Colour and dashes of a line of the `index`-th class of a figure."""
    colour = index % len(COLOURS)
    return {"color": COLOURS[colour], "linestyle": _DASHES[colour % len(_DASHES)]}


def system_styles(systems):
    """Colour, dashes and marker of each system of a run.

    A registered system has the same look in every run. A variant gets what the others of its run
    leave: a colour of its own while there is one, from the palette's end on; so a variant that is
    alone in its run looks the same as in another where it is alone.

    Parameters
    ----------
    systems : sequence of str
        All of the run, so that figures of one run agree.

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
