"""What a system's name stands for in an experiment: a registered system, or a variant of one.

A variant is a name in the config's ``variants`` that takes a registered system and says what of
the experiment's ``trunk``, ``pooling`` and ``training`` differs for it. Leaving one key out of a
variant is how the worth of that key is measured. Imports no torch: the DAG is built from it.
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
        In the config's ``systems``, in paths and in tables.
    network : str
        The registered system that it builds on: its own name unless it is a variant.
    trunk, pooling, training : dict
        Sections of the config, with what the variant changes.
    teacher : str or None
        Name of the system whose masks it also learns from.
    """

    name: str
    network: str
    trunk: dict
    pooling: dict
    training: dict
    teacher: str | None

    @property
    def facts(self) -> System:
        """What is declared of its network."""
        return systems()[self.network]

    @property
    def own_trunk(self):
        """Section ``trunk``, of its own kind alone: what other trunks are changes nothing here."""
        if not self.facts.has_masks:
            return {}
        kinds = declarations(TRUNKS)
        own = self.trunk["kind"]
        return {key: v for key, v in self.trunk.items() if key == own or key not in kinds}

    @property
    def own_pooling(self):
        """Section ``pooling``, of its own pooling alone."""
        return {key: v for key, v in self.pooling.items() if key == self.facts.pooling}

    @property
    def builders(self):
        """What builds the network, as `tfseg.run.digest.code_digest` names it."""
        if not self.facts.has_masks:
            return [declarations(NETWORKS)[self.facts.network].builder]
        return [
            declarations(TRUNKS)[self.trunk["kind"]].builder,
            declarations(POOLINGS)[self.facts.pooling].builder,
        ]


def merged(defaults, changes):
    """Lay changes over a section as Snakemake lays one config file over another."""
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
        Merged and checked, or at least with the sections named above.
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
