"""tfseg: sound event detection and time-frequency segmentation learned from clip-level tags.

The library behind the workflow's rules. It follows Q. Kong et al., TASLP 2019 ("TASLP" in
docstrings) and ICASSP 2018 ("JSC"). ``docs/explanation/paper_map.md`` maps the papers' equations
to the code.

For use from Python (``docs/tutorials/python.md``):

- `load_model`: a trained model from its folder
- `apply_model`: that model on a file or an array: events, scores, masks, separated sounds
- `separate`: masks to waveforms
- `poolings`, `build_pooling`: list the poolings; build one by its name
- `systems`, `build_network`: list the systems; build the untrained network of one
- `metrics`: the metrics
- `annotations`: labels of recordings, read from the formats of other programs
- `errors`: the exceptions that tfseg raises
"""

import importlib

__version__ = "0.1.0"

# Loaded on first use, so that `import tfseg` is instant. A home of None means that the name is a
# module of the package; otherwise the name is an attribute of its home.
_HOMES = {
    "annotations": None,
    "apply_model": "tfseg.apply.in_memory",
    "build_network": "tfseg.models.systems",
    "build_pooling": "tfseg.models.pooling_by_name",
    "errors": None,
    "load_model": "tfseg.apply.in_memory",
    "metrics": None,
    "poolings": "tfseg.models.pooling_by_name",
    "separate": "tfseg.separation.masking",
    "systems": "tfseg.models.registry",
}
__all__ = [*_HOMES, "__version__"]


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    if home is None:
        return importlib.import_module(f"{__name__}.{name}")
    return getattr(importlib.import_module(home), name)


def __dir__():
    return sorted({*globals(), *_HOMES})
