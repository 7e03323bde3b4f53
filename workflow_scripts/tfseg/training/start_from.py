"""Fine-tuning: a training that starts from a trained model instead of first weights.

The trunk, the standardisation of the mel bands, and what belongs to classes of the same name are
kept. What belongs to other classes has first weights, as in any training.
"""

import torch

from tfseg.errors import ConfigError
from tfseg.models import registry
from tfseg.models.systems import network_of
from tfseg.models.weights_fit import reasons_against

# Owners of rows that belong to no class.
_BACKGROUND, _REST = "(background)", "(rest)"


def _pooling(description):
    return registry.systems()[description["network"]].pooling


def what_is_kept(start, wanted):
    """Say what a training takes from a model, for ``model.json`` and the log.

    Parameters
    ----------
    start, wanted : dict
        Descriptions of the model and of the training.

    Returns
    -------
    facts : dict

    Raises
    ------
    ConfigError
        When the weights do not fit; it says why.
    """
    reasons = reasons_against(start, wanted)
    if reasons:
        raise ConfigError(
            "config key training.start_from: the weights of this model do not fit: "
            f"{'; '.join(reasons)}"
        )
    before, now = start["classes"], wanted["classes"]
    return {
        "system": start["system"],
        "weights_sha256": start["weights_sha256"],
        "kept": "standardisation of the bands, and all layers but rows of new classes",
        "kept_pooling": _pooling(start) == _pooling(wanted),
        "kept_classes": [label for label in now if label in before],
        "new_classes": [label for label in now if label not in before],
        "dropped_classes": [label for label in before if label not in now],
    }


def _rows(description):
    """Find the tensors that have a row for each class.

    Returns
    -------
    rows : dict of str to (int, list)
        By the name of the tensor: the axis of its rows, and whose each row is: a class, the
        background, the rest that shares the energy, or ``("attention", owner)``.
    """
    classes = list(description["classes"])
    # The axes that grow with one more class; no weights are made.
    with torch.device("meta"):
        network = network_of(description)
        larger = network_of(description | {"classes": [*classes, ""]}).state_dict()
    masks = [*classes, *([_BACKGROUND] if network.has_background else [])]
    outputs = [*classes, *([_REST] if getattr(network, "shares_energy", False) else [])]
    owners_of = {
        "trunk": [outputs, [*outputs, *(("attention", owner) for owner in masks)]],
        "pooling": [masks],
        "network": [classes],
    }
    rows = {}
    for name, tensor in network.state_dict().items():
        pairs = zip(tensor.shape, larger[name].shape, strict=True)
        axes = [axis for axis, (size, more) in enumerate(pairs) if size != more]
        if not axes:
            continue
        part = name.partition(".")[0]
        fit = [owners for owners in owners_of[part] if len(owners) == tensor.shape[axes[0]]]
        if len(axes) > 1 or not fit:
            raise ConfigError(
                f"config key training.start_from: {description['network']} cannot be fine-tuned, "
                f"since it is not known which values of {name} belong to which class"
            )
        rows[name] = axes[0], fit[0]
    return rows


@torch.no_grad()
def keep_weights(network, wanted, start_network, start):
    """Put what is kept of a model into a network, in place.

    Parameters
    ----------
    network : tfseg.models.systems.MaskNetwork or FrameNetwork
        With first weights, on the CPU.
    wanted : dict
        Its description.
    start_network : tfseg.models.systems.MaskNetwork or FrameNetwork
        The model, as it was saved.
    start : dict
        Its description.

    Raises
    ------
    ConfigError
        When the weights do not fit.
    """
    what_is_kept(start, wanted)
    known, rows, rows_before = start_network.state_dict(), _rows(wanted), _rows(start)
    same_pooling = _pooling(start) == _pooling(wanted)
    for name, tensor in network.state_dict().items():
        if name.startswith("pooling.") and not same_pooling:
            continue
        if name not in rows:
            tensor.copy_(known[name])
            continue
        axis, owners = rows[name]
        axis_before, owners_before = rows_before[name]
        for row, owner in enumerate(owners):
            if owner in owners_before:
                before = known[name].select(axis_before, owners_before.index(owner))
                tensor.select(axis, row).copy_(before)
