"""The record of how often held-out clips were scored: ``logs/scorings.jsonl`` of a run."""

import datetime
import json

from tfseg import __version__
from tfseg.io.files import append_line


def record_scoring(path, names, description, features):
    """Note that a model scored held-out clips: who does it again and again ends by fitting them.

    Parameters
    ----------
    path : path-like
        Grows by a line.
    names : dict of str to str
        Which training: ``snr, system, fold, repeat``.
    description : dict
        ``model.json`` of the model.
    features : tfseg.features.feature_set.FeatureSet
        What it scored.
    """
    record = dict(names) | {
        "scored": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "weights_sha256": description["weights_sha256"],
        "clips": len(features.mixture),
        "tfseg": __version__,
    }
    append_line(path, json.dumps(record))
