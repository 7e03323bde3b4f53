"""The JSON schema of the config, built from the sections, and functions that read it.

The node of a key has ``type`` or ``enum``, limits, ``default``, ``description`` and ``unit``, and
``in_words`` beside a ``pattern``; the node of a section has ``properties``. There is no ``$ref`` and
no ``anyOf``. So a wrong value breaks one rule, and one line can say what was expected
(`tfseg.settings.schema_errors`).
"""

import copy

from tfseg.datasets.corpora import declared_schema
from tfseg.settings.declared import with_declarations
from tfseg.settings.sections.experiment import Experiment

_DROPPED = ("title", "$defs", "anyOf", "patternProperties", "$ref")


def _one_of(branches):
    """Merge alternatives into one node; their limits belong to different types and cannot clash."""
    if any("enum" in branch for branch in branches):
        # `null` becomes one more value of an enum.
        return {"enum": [value for b in branches for value in b.get("enum", [None])]}
    merged = {"type": [branch["type"] for branch in branches]}
    for branch in branches:
        for keyword, value in branch.items():
            if merged.setdefault(keyword, value) != value and keyword != "type":
                raise ValueError(f"{keyword}: two alternatives of a key limit it")
    return merged


def _inlined(node, definitions):
    """Replace pydantic's references by their definitions, and drop keywords only it needs."""
    if isinstance(node, list):
        return [_inlined(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    result = {}
    if "$ref" in node:
        result = _inlined(definitions[node["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in node:
        result |= _one_of([_inlined(branch, definitions) for branch in node["anyOf"]])
    for keyword, value in node.items():
        if keyword == "properties":
            result[keyword] = {k: _inlined(v, definitions) for k, v in value.items()}
        elif keyword not in _DROPPED:
            # A default is data, and may hold any key.
            result[keyword] = value if keyword == "default" else _inlined(value, definitions)
    for pattern, entry in node.get("patternProperties", {}).items():
        limits = result.get("propertyNames", {})
        in_words = {"in_words": result.pop("names_in_words")}
        result["propertyNames"] = {"type": "string", **limits, "pattern": pattern, **in_words}
        result["additionalProperties"] = _inlined(entry, definitions)
    if "enum" in result:
        result.pop("type", None)
    if result.get("additionalProperties") is True:
        del result["additionalProperties"]
    return _ordered(result)


_ORDER = ("description", "unit", "default", "type", "enum")


def _ordered(node):
    """Order the keywords of a node for readers: description first, long parts last."""
    last = ("required", "properties")
    keys = [k for k in _ORDER if k in node]
    keys += [k for k in node if k not in (*_ORDER, *last)]
    return {key: node[key] for key in [*keys, *(k for k in last if k in node)]}


def _requiring_all(section):
    """Have a section, and each section in it, name all of its keys."""
    properties = {
        key: _requiring_all(node) if "properties" in node else _ordered(node)
        for key, node in section["properties"].items()
    }
    return _ordered(section | {"required": list(properties), "properties": properties})


def config_schema():
    """Build the schema of the whole config.

    Returns
    -------
    schema : dict
    """
    raw = Experiment.model_json_schema()
    schema = declared_schema(with_declarations(_inlined(raw, raw["$defs"])))
    # The keys of corpora that come with tfseg stand in config.yaml; those of one's own need not.
    corpus = _requiring_all(schema["properties"]["corpus"])
    schema = schema | {"properties": schema["properties"] | {"corpus": corpus}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def default_config(node):
    """Return the defaults of a schema as a config: nested dictionaries."""
    if "default" in node:
        return copy.deepcopy(node["default"])
    return {key: default_config(inner) for key, inner in node["properties"].items()}


def keys_of(node, path=()):
    """Yield the dotted name and the node of every key that is not a section, in order."""
    for key, inner in node["properties"].items():
        if "properties" in inner:
            yield from keys_of(inner, (*path, key))
        else:
            yield ".".join((*path, key)), inner
