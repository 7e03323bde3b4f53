"""Relations of the section ``baselines``."""

import ast
from pathlib import Path

from tfseg.models.registry import SYSTEMS
from tfseg.settings.messages import unknown_key

_MODELS = Path(__file__).resolve().parents[2] / "models"


def _build_arguments(module):
    """Keyword-only arguments of a module's ``build``: name to whether it must be given.

    Read from the text: importing the module would import torch into every start of Snakemake.
    """
    tree = ast.parse((_MODELS / f"{module}.py").read_text(encoding="utf-8"))
    (build,) = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "build"]
    pairs = zip(build.args.kwonlyargs, build.args.kw_defaults, strict=True)
    return {argument.arg: default is None for argument, default in pairs}


def baseline_relations(config):
    """Check the settings of the systems that are networks of their own."""
    baselines = config["baselines"]
    known = [name for name, system in SYSTEMS.items() if system.module]
    for name in sorted(set(baselines) - set(known)):
        yield unknown_key(["baselines", name], known)
    networks = [config["variants"].get(n, {}).get("system", n) for n in config["systems"]]
    for name in dict.fromkeys(networks):
        if name not in SYSTEMS or not SYSTEMS[name].module:
            continue
        arguments = _build_arguments(SYSTEMS[name].module)
        given = baselines.get(name, {})
        for key in sorted(set(given) - set(arguments)):
            yield unknown_key(["baselines", name, key], list(arguments))
        for key in sorted(k for k, needed in arguments.items() if needed and k not in given):
            yield f"config key baselines.{name}.{key}: expected, not found"
