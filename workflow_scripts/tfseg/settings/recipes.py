"""Recipes of the systems of an experiment: registered systems and variants of them.

A variant is an entry of the config's ``variants``. It names a registered system and its changes to
the experiment's ``trunk``, ``pooling`` and ``training``. To measure the effect of one of its keys,
define a second variant without that key. Imports no torch, since every job builds the DAG.
"""

import copy
from dataclasses import dataclass

from tfseg.models.registry import NETWORKS, POOLINGS, TRUNKS, System, declarations, systems

# Sections of the config that a variant may change.
SECTIONS = ("trunk", "pooling", "training")


@dataclass(frozen=True)
class Recipe:
    """A system of an experiment.

    Attributes
    ----------
    name : str
        Name in the config's ``systems``, in paths and in tables.
    network : str
        The registered system that it builds on; equal to `name` unless it is a variant.
    trunk, pooling, training : dict
        Sections of the config, with the changes of the variant.
    teacher : str or None
        Name of its teacher, the system whose masks it also learns from.
    """

    name: str
    network: str
    trunk: dict
    pooling: dict
    training: dict
    teacher: str | None

    @property
    def facts(self) -> System:
        """Declaration of its network."""
        return systems()[self.network]

    @property
    def own_trunk(self):
        """Section ``trunk`` without the settings of other kinds of trunk."""
        if not self.facts.has_masks:
            return {}
        kinds = declarations(TRUNKS)
        own = self.trunk["kind"]
        return {key: v for key, v in self.trunk.items() if key == own or key not in kinds}

    @property
    def own_training(self):
        """Section ``training`` without what changes no weights."""
        return {key: value for key, value in self.training.items() if key != "tensorboard"}

    @property
    def own_pooling(self):
        """Section ``pooling`` without the settings of other poolings."""
        return {key: v for key, v in self.pooling.items() if key == self.facts.pooling}

    @property
    def builders(self):
        """Functions that build the network, as roots of `tfseg.run.digest.code_digest`."""
        if not self.facts.has_masks:
            return [declarations(NETWORKS)[self.facts.network].builder]
        return [
            declarations(TRUNKS)[self.trunk["kind"]].builder,
            declarations(POOLINGS)[self.facts.pooling].builder,
        ]


def merged(defaults, changes):
    """Merge changes into a section, as Snakemake merges config files."""
    result = copy.deepcopy(defaults)
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def find_recipe(config, name):
    """Look up a system of an experiment.

    Parameters
    ----------
    config : dict
        Merged and checked config, with at least the sections above.
    name : str
        A registered system, or a key of ``variants``.

    Returns
    -------
    recipe : Recipe
    """
    variant = config["variants"].get(name, {})
    return Recipe(
        name=name,
        network=variant.get("system", name),
        **{section: merged(config[section], variant.get(section, {})) for section in SECTIONS},
        teacher=variant.get("teacher"),
    )
