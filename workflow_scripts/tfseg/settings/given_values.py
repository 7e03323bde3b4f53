"""Values that YAML changes: a path with `` #`` in it is cut there, as if a comment began."""

from pathlib import Path

import yaml

# Keys at the top level that are texts: what YAML makes of them otherwise was not meant.
TEXT_KEYS = ("recordings", "model", "reference", "run", "data_root", "container")
_OPTIONS = ("--config", "-C")


def _given_on(command_line):
    """Yield key and text of each value that follows ``--config``."""
    is_value = False
    for word in command_line:
        if word.startswith("--config="):
            word, is_value = word.removeprefix("--config="), True
        elif word.startswith("-"):
            is_value = word in _OPTIONS
            continue
        key, sign, text = word.partition("=")
        if is_value and sign:
            yield key, text


def changed_on_command_line(command_line, config):
    """Name the values of ``--config`` that are no longer what was written.

    Parameters
    ----------
    command_line : sequence of str
        Of Snakemake.
    config : dict
        What came of it.

    Returns
    -------
    messages : list of str
        A line for each value.
    """
    messages = []
    for key, text in _given_on(command_line):
        found = config.get(key)
        is_list = isinstance(found, list) and text.startswith("[")
        if key not in TEXT_KEYS or is_list or found in (text, text.strip("'\"") or None):
            continue
        remedy = f"write it in quotes into a file, {key}: '...', and give that with --configfile"
        if key == "recordings":
            remedy = f"""write --config 'recordings=["{text}"]', or {remedy}"""
        messages.append(
            f"config key {key}: expected {text!r}, as the command says, found {found!r}: YAML reads it "
            f"so (' #' begins a comment, 'a: b' is a table, 1e3 a number). To keep it as it is, {remedy}"
        )
    return messages


def _plain_texts(node):
    """Yield the plain texts of a YAML node that is a text or a list of texts."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _plain_texts(item)
    elif isinstance(node, yaml.ScalarNode) and node.style is None:
        yield node


def cut_paths(paths):
    """Name the paths in config files that YAML cuts at `` #``, where the whole path is there.

    Parameters
    ----------
    paths : sequence of path-like
        Config files.

    Returns
    -------
    messages : list of str
        A line for each.
    """
    messages = []
    for path in paths:
        text = Path(path).read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        pairs = root.value if isinstance(root, yaml.MappingNode) else []
        lines = text.splitlines()
        for key, value in pairs:
            for node in _plain_texts(value) if key.value in TEXT_KEYS else ():
                line = lines[node.start_mark.line]
                whole = line[node.start_mark.column :].strip()
                if whole.startswith(f"{node.value} ") and Path(whole).exists():
                    messages.append(
                        f"{path}, line {node.start_mark.line + 1}: config key {key.value}: YAML reads "
                        f"{node.value!r} and takes the rest for a comment, but {whole!r} is there. "
                        "Write it in quotes"
                    )
    return messages
