"""Relations between a training and the model that it starts from."""

import os

from tfseg.errors import TfsegError
from tfseg.io.files import read_json
from tfseg.models.weights_fit import DESCRIPTION, WEIGHTS, reasons_against
from tfseg.settings.recipes import find_recipe


def start_relations(config):
    """Check, before hours are spent, that the weights of each model to start from fit."""
    for name in config["systems"]:
        recipe = find_recipe(config, name)
        folder = recipe.training["start_from"]
        if folder is not None:
            key = f"config key training.start_from of {name}"
            yield from (f"{key}: {message}" for message in _messages(config, recipe, folder))


def _messages(config, recipe, folder):
    missing = [
        file for file in (WEIGHTS, DESCRIPTION) if not os.path.isfile(os.path.join(folder, file))
    ]
    if missing:
        return [f"expected the folder of a trained model, found no {folder}/{missing[0]}"]
    try:
        start = read_json(os.path.join(folder, DESCRIPTION))
        reasons = reasons_against(
            start,
            {
                "network": recipe.network,
                "features": config["features"],
                "trunk": recipe.trunk,
                "baselines": config["baselines"],
            },
        )
    except TfsegError as error:
        return [str(error)]
    except (KeyError, TypeError) as error:
        return [f"{folder}/{DESCRIPTION}: expected a model of this version of tfseg ({error!r})"]
    if not reasons:
        return []
    return [
        f"the weights of {folder} do not fit: {'; '.join(reasons)}. Use the model's values, or train "
        "from first weights (start_from: null)"
    ]
