"""The list of recordings of a corpus: one row for each event, scene or clip.

Every corpus module returns this list; no later stage depends on the corpus.
"""

import numpy as np
import pandas as pd

from tfseg.datasets.corpus_tables import table_schema
from tfseg.errors import DataError

NOT_STATED = "not stated"
_NAMES_SHOWN = 5


def recordings(role, paths, labels, groups, **columns):
    """Build the rows of ``corpus/recordings.csv`` for one role.

    Parameters
    ----------
    role : {"event", "scene", "clip"}
    paths : sequence of path-like
    labels : sequence of str or str
        Event label, kind of scene, or a clip's tags joined by ``;``.
    groups : sequence of str
        Source of each recording.
    **columns
        ``start_s``, ``stop_s`` (s), ``part`` (1 is held out in a fixed split), ``author``,
        ``licence``, ``source``: one value, or one for each recording.

    Returns
    -------
    frame : pd.DataFrame
        As ``tfseg/datasets/schemas/recordings.schema.yaml`` says.
    """
    defaults = {
        "start_s": 0.0,
        "stop_s": np.nan,
        "part": 0,
        "author": NOT_STATED,
        "licence": NOT_STATED,
        "source": NOT_STATED,
    }
    frame = pd.DataFrame({"path": [str(path) for path in paths]})
    values = {"role": role, "label": labels, "group": groups, **defaults, **columns}
    for name, value in values.items():
        frame[name] = value if isinstance(value, str) or np.isscalar(value) else list(value)
    return frame[table_schema("recordings")["required"]]


def check_count(what, expected, found, path):
    """Check that a published data set has the content that its authors state.

    Raises
    ------
    DataError
        The message names the list of recordings, what was expected and what was found.
    """
    if found != expected:
        raise DataError(
            f"{path}: expected {expected} {what}, found {found}. The data set is incomplete or of "
            "another version: delete the folder to unpack its archives again."
        )


def wanted(labels, choice, what, path):
    """Check that each name of a choice in the config exists in a corpus.

    Parameters
    ----------
    labels : iterable of str
        All names that the corpus has.
    choice : sequence of str
    what : str
        The config key.
    path : path-like
        Source of the names, for the message.
    """
    known = sorted(set(labels))
    missing = [label for label in choice if label not in known]
    if missing:
        more = ", ..." if len(known) > 60 else ""
        raise DataError(
            f"{path}: no recording of {', '.join(missing[:_NAMES_SHOWN])} (config key {what}); "
            f"found {', '.join(known[:60])}{more}"
        )
