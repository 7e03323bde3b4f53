"""Write the files that are generated from the settings' declarations: ``make settings``.

These are the schema for checking a config, the table of keys in the documentation, and the keys
that jobs need to read ``detection.json``. Edit only the sections (`tfseg.settings.sections`) and
``config.yaml``, the commented file for users.
"""

import difflib
import json
import re
from pathlib import Path

import yaml

from tfseg.models.registry import with_defaults
from tfseg.settings.fields import MANY
from tfseg.settings.schema import config_schema, default_config, keys_of

_REPOSITORY = Path(__file__).resolve().parents[3]
SCHEMA = "schemas/config.schema.json"
DOCS = "docs/reference/configuration.md"
DETECTION_KEYS = "workflow_scripts/tfseg/settings/detection_keys.py"
CONFIG = "config.yaml"
_BEGIN, _END = "<!-- keys: written by `make settings` -->\n", "<!-- end of keys -->\n"
# Longer lists and sections are not written out.
_MANY_ITEMS, _MANY_CHARACTERS = 12, 60
_HEAD = ["| key | default | type and range | description |", "|---|---|---|---|"]
_DETECTION_HEAD = '''"""Keys that ``detection.json`` may hold: their limits and defaults, without pydantic.

``HEADINGS`` are the model card's headings of keys that may differ between classes.
Written by ``make settings`` from `tfseg.settings.sections`; do not edit.
"""
'''


def _schema_text(schema):
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _yaml(value):
    """Write a value as in config.yaml, on one line."""
    if isinstance(value, list) and len(value) > _MANY_ITEMS:
        return f"{len(value)} names: `config.yaml`"
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False)
    if isinstance(value, dict) and len(text) > _MANY_CHARACTERS:
        return f"{', '.join(map(_yaml, value))}: `config.yaml`"
    return f"`{text.removesuffix('...' + chr(10)).strip()}`"


_WORDS = {
    "integer": ("integer", "integers"),
    "number": ("number", "numbers"),
    "string": ("text", "texts"),
    "boolean": ("true or false", "true or false"),
    "null": ("null", "null"),
    "object": ("section", "sections"),
}
_SIGNS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def _type(node, several=False):
    """Describe the type of a value in words."""
    if "enum" in node:
        return "one of: " * (not several) + ", ".join(_yaml(value) for value in node["enum"])
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    if "propertyNames" in node:
        return "sections by name"
    return " or ".join(
        f"list of {_type(node['items'], True)}" if kind == "array" else _WORDS[kind][several]
        for kind in kinds
    )


def _counted(node, least, most, what):
    """Describe the allowed number of `what` in a list or text: a list of at most one text."""
    if least not in node and most not in node:
        return []
    fewest, largest = node.get(least, 0), node.get(most)
    if largest is None:
        return ["not empty" if fewest == 1 else f"at least {fewest} {what}"]
    if fewest == largest:
        return [f"{fewest} {what}"]
    return [f"≤ {largest} {what}" if not fewest else f"{fewest} to {largest} {what}"]


def _range(node):
    """Describe the limits of a value in words."""
    limits = [
        f"{sign} {node[keyword]}"
        for keyword, sign in _SIGNS.items()
        if keyword in node and node[keyword] != MANY  # the text above the tables says it once
    ]
    limits += ["odd"] if node.get("odd") else []
    limits += _counted(node, "minLength", "maxLength", "characters")
    limits += [node.get("in_table", node["in_words"])] if "pattern" in node else []
    limits += _counted(node, "minItems", "maxItems", "items")
    limits += ["distinct"] if node.get("uniqueItems") else []
    limits += [f"with {node['contains']['const']}"] if "contains" in node else []
    inner = _range(node["items"]) if "items" in node else ""
    limits += [f"each {inner}"] if inner else []
    # For a list of texts, describe the emptiness once.
    return ", ".join(dict.fromkeys(limits))


def _rows(schema):
    """Yield a row for each key, also for those of entries in lists and dictionaries of sections."""
    for key, node in keys_of(schema):
        yield key, node
        for entry in (node.get("items"), node.get("additionalProperties")):
            if isinstance(entry, dict) and "properties" in entry:
                name = f"{key}[]" if "items" in node else f"{key}.NAME"
                yield from ((f"{name}.{inner}", item) for inner, item in keys_of(entry))


def _section(key, node):
    """Section that a key is listed in; top-level keys that are no section share one."""
    first = re.split(r"[.\[]", key)[0]
    is_section = first != key or node.get("type") in ("array", "object")
    return first if is_section else "top level"


def keys_table(schema):
    """Write the tables of keys, one for each section.

    Parameters
    ----------
    schema : dict
        From `config_schema`.

    Returns
    -------
    text : str
        Markdown.
    """
    lines, section = [], None
    for key, node in _rows(schema):
        if _section(key, node) != section:
            section = _section(key, node)
            lines += ["", f"### {section}", "", *_HEAD]
        default = _yaml(node["default"]) if "default" in node else ""
        cells = [
            f"`{key}`",
            f"{default} {node.get('unit', '')}".strip(),
            ", ".join(filter(None, [_type(node), _range(node)])),
            node["description"][0].upper() + node["description"][1:],
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines[1:]) + "\n"


def _docs_text(schema, present):
    """Return the page with a new table and otherwise unchanged."""
    before, _, rest = present.partition(_BEGIN)
    after = rest.partition(_END)[2]
    return f"{before}{_BEGIN}\n{keys_table(schema)}\n{_END}{after}"


# Keys of the two sections that affect no event, frame or tag.
_NOT_OF_A_MODEL = ("collar_s", "offset_fraction", "error_rate", "processes", "tune")
# The largest count is meant for typing errors in a config; files have no such limit.
_LIMITS = ("type", "enum", "minimum", "exclusiveMaximum", "odd")


def _detection_text(schema):
    """Return the text of the module `DETECTION_KEYS`."""
    keys = {
        key: node
        for name in ("metrics", "postprocessing")
        for key, node in schema["properties"][name]["properties"].items()
        if key not in _NOT_OF_A_MODEL
    }
    # Kept separate, so that headings are not part of the code that detects events.
    facts = {
        "LIMITS": {k: {fact: n[fact] for fact in _LIMITS if fact in n} for k, n in keys.items()},
        "DEFAULTS": {k: n["default"] for k, n in keys.items()},
        "HEADINGS": {k: n["by_class"] for k, n in keys.items() if "by_class" in n},
    }
    text = _DETECTION_HEAD
    for name, values in facts.items():
        lines = [f"    {key!r}: {value!r},\n".replace("'", '"') for key, value in values.items()]
        text += f"\n{name} = {{\n{''.join(lines)}}}\n"
    return text


def generated(repository):
    """Generate the text of every generated file.

    Parameters
    ----------
    repository : Path

    Returns
    -------
    texts : dict of str to str
        Content by path, relative to `repository`.
    """
    schema = config_schema()
    present = (repository / DOCS).read_text(encoding="utf-8")
    return {
        SCHEMA: _schema_text(schema),
        DOCS: _docs_text(schema, present),
        DETECTION_KEYS: _detection_text(schema),
    }


def difference(name, committed, wanted):
    """Return the unified diff of two texts, empty if they are equal."""
    return "".join(
        difflib.unified_diff(
            committed.splitlines(keepends=True),
            wanted.splitlines(keepends=True),
            f"{name} (committed)",
            f"{name} (from tfseg.settings.sections)",
        )
    )


def config_difference(config):
    """Return the unified diff of a config's values and the defaults, a line for each value."""

    def lines(values):
        return yaml.safe_dump(values, sort_keys=True, allow_unicode=True)

    # Your own poolings, trunks and networks need no entry in config.yaml.
    return difference(CONFIG, lines(with_defaults(config)), lines(default_config(config_schema())))


def main():
    """Write the files, and report where config.yaml has other values."""
    for name, text in generated(_REPOSITORY).items():
        path = _REPOSITORY / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    config = yaml.safe_load((_REPOSITORY / CONFIG).read_text(encoding="utf-8"))
    if differs := config_difference(config):
        raise SystemExit(f"{differs}Edit {CONFIG} or the sections, so that both are equal.")


if __name__ == "__main__":
    main()
