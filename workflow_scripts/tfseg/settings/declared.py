"""Keys of the config that poolings, trunks and networks declare in their own files.

They are read at each start, so that one of your own is checked without writing the schema anew.
"""

from tfseg.models.registry import NETWORKS, POOLINGS, TRUNKS, declarations

# Sections of the config by what declares their keys.
SECTIONS_OF = {"trunk": TRUNKS, "pooling": POOLINGS, "baselines": NETWORKS}


def _section(node, declared):
    """A section's own keys, its ``kind`` first, with a section for each declaration among them."""
    own = {key: of for key, of in node.get("properties", {}).items() if "properties" not in of}
    first = {}
    if "kind" in own:
        own["kind"] = {key: of for key, of in own["kind"].items() if key != "type"}
        first["kind"] = own.pop("kind") | {"enum": list(declared)}
    sections = {name: {"description": d.summary, **d.schema()} for name, d in declared.items()}
    # One without settings needs no entry.
    needed = [name for name, declaration in declared.items() if declaration.settings]
    return {
        "description": node["description"],
        "type": "object",
        "additionalProperties": False,
        "required": [*first, *needed, *own],
        "properties": first | sections | own,
    }


def with_declarations(schema):
    """Put what poolings, trunks and networks declare into a schema of the config.

    Parameters
    ----------
    schema : dict
        Of the whole config, with or without declarations.

    Returns
    -------
    schema : dict
        A copy, as deep as what is changed.
    """
    properties = dict(schema["properties"])
    for section, kind in SECTIONS_OF.items():
        declared = declarations(kind)
        if section == "pooling":
            # A pooling without settings has no section.
            declared = {name: d for name, d in declared.items() if d.settings}
        properties[section] = _section(properties[section], declared)
    return schema | {"properties": properties}
