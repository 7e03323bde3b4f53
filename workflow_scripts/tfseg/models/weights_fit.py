"""Whether the weights of a trained model fit another network. Imports no torch: it is also planned.

Classes may differ: what belongs to a class is kept or replaced by its name
(`tfseg.training.start_from`).
"""

from tfseg.models import registry

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"  # of a trained model
_NO_INPUT = ("ibm_criterion_db",)  # of `features`: it makes targets, and no network sees it
_NO_WEIGHTS = ("dropout",)


def _with_weights(kind, name, sections):
    """Settings that layers follow from; a model from before a key has the key's default."""
    settings = registry.declarations(kind)[name].defaults | sections.get(name, {})
    return {key: value for key, value in settings.items() if key not in _NO_WEIGHTS}


def _layers(description):
    """What the layers of a network follow from, by the key of the config."""
    facts = registry.systems()[description["network"]]
    if not facts.has_masks:
        name = facts.network
        settings = _with_weights(registry.NETWORKS, name, description["baselines"])
        return {"system": name, f"baselines.{name}": settings}
    trunk = description["trunk"]
    kind = trunk["kind"]
    return {
        "trunk.kind": kind,
        f"trunk.{kind}": _with_weights(registry.TRUNKS, kind, trunk),
        "trunk.share_energy": trunk["share_energy"],
    }


def reasons_against(start, wanted):
    """Say why a training cannot start from the weights of a model.

    Parameters
    ----------
    start, wanted : dict
        Descriptions of the model and of the training, with ``network, features, trunk, baselines``.

    Returns
    -------
    reasons : list of str
        A line for each key that differs, as the config calls it; empty where the weights fit.
    """
    pairs = [
        (f"features.{key}", start["features"].get(key), value)
        for key, value in wanted["features"].items()
        if key not in _NO_INPUT
    ]
    of_start = _layers(start)
    pairs += [(key, of_start.get(key), value) for key, value in _layers(wanted).items()]
    return [
        f"{key} is {value} here, and {'something else' if found is None else found} there"
        for key, found, value in pairs
        if found != value
    ]
