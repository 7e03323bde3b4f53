"""The poolings, trunks and networks that there are, and the systems that they make.

Each is one file, found by listing its folder, and declares itself there: a module-level literal
``DECLARATION`` with

- ``summary``: one line;
- ``settings``: name of each keyword argument of its ``build`` to what it may be, as a fragment of
  JSON schema with ``default``, ``description`` and, where it has one, ``unit``;
- ``order`` (optional): its place in lists and among colours; without one it comes last.

The config's checks and defaults, the DAG and the tables of the docs read that. Declarations are read
as text: the DAG is built from them, and importing the modules would import torch into every start of
Snakemake.
"""

import functools
import importlib
from dataclasses import dataclass, field
from pathlib import Path

from tfseg.errors import ConfigError
from tfseg.io.declarations import NAME, read_declaration

_MODELS = Path(__file__).resolve().parent
POOLINGS, TRUNKS, NETWORKS = "poolings", "trunks", "networks"
_KEYS = ("summary", "order", "settings")
_NEEDED = ("default", "description")


@dataclass(frozen=True)
class Declaration:
    """What a pooling, trunk or network says of itself.

    Attributes
    ----------
    name : str
        Of its file.
    kind : {"poolings", "trunks", "networks"}
    summary : str
    settings : dict
        Name of a setting to a fragment of JSON schema.
    order : int or None
    """

    name: str
    kind: str
    summary: str
    settings: dict = field(default_factory=dict)
    order: int | None = None

    @property
    def builder(self):
        """Its ``build``, as `tfseg.run.digest.code_digest` names it."""
        return f"tfseg.models.{self.kind}.{self.name}:build"

    @property
    def defaults(self):
        """Default of each setting."""
        return {name: setting["default"] for name, setting in self.settings.items()}

    def schema(self):
        """JSON schema of its section of the config."""
        return {
            "type": "object",
            "additionalProperties": False,
            "required": list(self.settings),
            "properties": self.settings,
        }


def _read(path, kind):
    """Read the declaration of a module; None where it has none."""
    declared = read_declaration(path)
    if declared is None:
        return None
    place = f"{path}: {NAME}"
    unknown = sorted(set(declared) - set(_KEYS))
    if unknown or "summary" not in declared:
        raise ConfigError(
            f"{place}: expected the keys summary, settings and order, found {', '.join(declared)}"
        )
    for name, setting in declared.get("settings", {}).items():
        missing = [key for key in _NEEDED if key not in setting]
        if "type" not in setting and "enum" not in setting:
            missing.insert(0, "type or enum")
        if missing:
            raise ConfigError(f"{place}: setting {name}: expected {', '.join(missing)}, found none")
    if not path.stem.isidentifier() or path.stem.startswith("_"):
        raise ConfigError(f"{place}: expected a file named as the {kind[:-1]}, found {path.name}")
    return Declaration(path.stem, kind, **declared)


@functools.cache
def declarations(kind):
    """Find all declarations of a kind.

    Parameters
    ----------
    kind : {"poolings", "trunks", "networks"}

    Returns
    -------
    declarations : dict of str to Declaration
        By name, in their order.

    Raises
    ------
    ConfigError
        When a declaration is not a literal, or lacks what it needs.
    """
    found = [_read(path, kind) for path in sorted((_MODELS / kind).glob("*.py"))]
    named = [declaration for declaration in found if declaration is not None]
    named.sort(key=lambda d: (d.order is None, d.order or 0, d.name))
    return {declaration.name: declaration for declaration in named}


def load(kind, name):
    """Import the module of a pooling, trunk or network.

    Parameters
    ----------
    kind : {"poolings", "trunks", "networks"}
    name : str

    Returns
    -------
    module : module
        With ``build``.

    Raises
    ------
    KeyError
        When none of that name is declared.
    """
    return importlib.import_module(f"tfseg.models.{kind}.{declarations(kind)[name].name}")


@dataclass(frozen=True)
class System:
    """What a system's name stands for: a pooling over the config's trunk, or a whole network.

    Attributes
    ----------
    pooling : str or None
        Of a system with masks.
    network : str or None
        Of a system without masks.
    """

    pooling: str | None = None
    network: str | None = None

    @property
    def has_masks(self):
        """Whether the system gives T-F masks."""
        return self.pooling is not None


def systems():
    """All systems that are not variants: name to `System`, poolings first.

    Raises
    ------
    ConfigError
        When a pooling and a network have the same name.
    """
    poolings, networks = declarations(POOLINGS), declarations(NETWORKS)
    for name in poolings:
        if name in networks:
            raise ConfigError(f"models/: expected each system's name once, found {name} twice")
    return {name: System(pooling=name) for name in poolings} | {
        name: System(network=name) for name in networks
    }


def with_defaults(config):
    """Complete the settings of poolings, trunks and networks that a config does not mention.

    A pooling, trunk or network of one's own needs no entry in ``config.yaml``.

    Parameters
    ----------
    config : dict
        Sections that are no dictionaries are left for the check to name.

    Returns
    -------
    config : dict
        A copy, as deep as what is completed.
    """
    config = dict(config)
    for section, kind in (("pooling", POOLINGS), ("trunk", TRUNKS), ("baselines", NETWORKS)):
        given = config.get(section)
        if not isinstance(given, dict):
            continue
        completed = dict(given)
        for name, declaration in declarations(kind).items():
            own = completed.get(name, {})
            if declaration.settings and isinstance(own, dict):
                completed[name] = declaration.defaults | own
        config[section] = completed
    return config
