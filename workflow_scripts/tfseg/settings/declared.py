"""Keys of the config that poolings, trunks and networks declare in their own files.

They are read at each start, so that your own modules are checked without a new schema file.
"""

from tfseg.models.registry import NETWORKS, POOLINGS, TRUNKS, declarations

# Sections of the config, by the kind of module that declares their keys.
SECTIONS_OF = {"trunk": TRUNKS, "pooling": POOLINGS, "baselines": NETWORKS}


def _section(node, declared):
    """Return a section's own keys, ``kind`` first, and a section for each declaration."""
    own = {key: of for key, of in node.get("properties", {}).items() if "properties" not in of}
    first = {}
    if "kind" in own:
        own["kind"] = {key: of for key, of in own["kind"].items() if key != "type"}
        first["kind"] = own.pop("kind") | {"enum": list(declared)}
    sections = {name: {"description": d.summary, **d.schema()} for name, d in declared.items()}
    # A declaration without settings needs no entry.
    needed = [name for name, declaration in declared.items() if declaration.settings]
    return {
        "description": node["description"],
        "type": "object",
        "additionalProperties": False,
        "required": [*first, *needed, *own],
        "properties": first | sections | own,
    }


def with_declarations(schema):
    """Add the declarations of poolings, trunks and networks to a schema of the config.

    Parameters
    ----------
    schema : dict
        Schema of the whole config, with or without declarations.

    Returns
    -------
    schema : dict
        A copy; unchanged parts are shared.
    """
    properties = dict(schema["properties"])
    for section, kind in SECTIONS_OF.items():
        declared = declarations(kind)
        if section == "pooling":
            # A pooling without settings has no section.
            declared = {name: d for name, d in declared.items() if d.settings}
        properties[section] = _section(properties[section], declared)
    return schema | {"properties": properties}
