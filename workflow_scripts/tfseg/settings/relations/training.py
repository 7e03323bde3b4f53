"""Relations of the section ``training``: the experiment's, and each variant's."""

import importlib.util

from tfseg.datasets.corpora import find_corpora
from tfseg.models.registry import systems
from tfseg.settings.recipes import find_recipe
from tfseg.settings.relations.features import time_grid, window_s


def training_relations(config):
    """Check all sections ``training``."""
    messages = list(_relations_of(config, config["training"]))
    yield from messages
    for name in config["variants"]:
        # Errors of the experiment's own section are reported once.
        for message in _relations_of(config, find_recipe(config, name).training):
            if message not in messages:
                yield message.replace("config key ", f"config key variants.{name}.", 1)
    for name in config["systems"]:
        if name in config["variants"] or name in systems():
            yield from _mask_relations(find_recipe(config, name))


def _mask_relations(recipe):
    """Check that a system has what the terms of its loss need."""
    if recipe.network not in systems():
        return  # reported as such
    terms, splice = recipe.training["terms"], recipe.training["splice"]
    weights = {f"terms.{key}": value for key, value in terms.items() if not key.endswith("_share")}
    if splice["share"]:
        weights |= {f"splice.{key}": splice[key] for key in ("negatives", "agreement")}
    for key, weight in weights.items():
        if weight and not recipe.facts.has_masks:
            yield (
                f"config key training.{key}: expected 0 for {recipe.name}, which has no masks, "
                f"found {weight}"
            )
    for key in ("terms.reclassified", "splice.agreement"):
        if weights.get(key) and not recipe.training["average_weights"]:
            yield (
                f"config key training.{key}: expected 0 for {recipe.name}, or "
                "training.average_weights above 0: it needs the averaged network"
            )


def _relations_of(config, training):
    """Check one section ``training``."""
    kind, excerpt_s = config["corpus"]["kind"], training["excerpt_s"]
    is_clips = find_corpora()[kind].is_clips
    if is_clips and excerpt_s is None:
        yield f"config key training.excerpt_s: expected a number of seconds with corpus.kind {kind}"
    if training["tensorboard"] and importlib.util.find_spec("tensorboard") is None:
        yield (
            "config key training.tensorboard: expected the package tensorboard, found it not "
            "installed. Run pip install tensorboard, or set the key to false"
        )
    window_length = config["features"]["window_length"]
    if excerpt_s is not None and time_grid(config).n_samples(excerpt_s) < window_length:
        yield (
            f"config key training.excerpt_s: expected at least one window "
            f"({window_s(config):g} s), found {excerpt_s}"
        )
    if training["kinds"] is None:
        return
    if is_clips:
        yield (
            f"config key training.kinds: expected null with corpus.kind {kind}, which are not "
            f"mixed, found {training['kinds']}"
        )
    for wanted in training["kinds"]:
        if wanted not in config["mixing"]["kinds"]:
            yield (
                f"config key training.kinds: expected kinds of mixing.kinds "
                f"{config['mixing']['kinds']}, found {wanted!r}"
            )
