"""Detection of keys that a YAML file names twice: YAML would silently use the last one only."""

from pathlib import Path

import yaml

from tfseg.settings.messages import dotted


def _keys_twice(node, path=()):
    """Yield the repeated keys of a YAML node: path, first and second line."""
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _keys_twice(item, (*path, index))
    if isinstance(node, yaml.MappingNode):
        lines = {}
        for key, value in node.value:
            here = (*path, str(key.value))
            line = key.start_mark.line + 1
            if here in lines:
                yield here, lines[here], line
            lines[here] = line
            yield from _keys_twice(value, here)


def keys_twice(paths):
    """Find the keys that a file names twice.

    Parameters
    ----------
    paths : sequence of path-like

    Returns
    -------
    messages : list of str
        A line for each key.
    """
    messages = []
    for path in paths:
        node = yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        messages += [
            f"{path}, line {line}: config key {dotted(key)}: expected once, "
            f"found also on line {first}"
            for key, first, line in _keys_twice(node)
        ]
    return messages
