"""Where paper, released code and tfseg differ, with a run's own values.

``docs/deviations.md`` is the only home of these facts. It is read here: its headings, tables and
lists, and the config keys that it names.
"""

import contextlib
import re
from dataclasses import dataclass, field

_CODE = re.compile(r"`([^`]+)`")


@dataclass
class Section:
    """A heading, and its table (`columns` and `rows`) or list (`rows` of one cell).

    `values` holds, for each row, the config keys that it names with this run's values.
    """

    heading: str
    columns: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    values: list = field(default_factory=list)


def read_deviations(text):
    """Split the page into sections.

    Parameters
    ----------
    text : str
        Markdown; only second-level headings, tables and lists are taken.

    Returns
    -------
    sections : list of Section
        Those that have rows.
    """
    sections = []
    for line in text.splitlines():
        if line.startswith("## "):
            sections.append(Section(line[3:]))
        elif not sections:
            continue
        elif line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if not sections[-1].columns:
                sections[-1].columns = cells
            elif set(line) - set("|-: "):
                sections[-1].rows.append(cells)
        elif line.startswith("- "):
            sections[-1].rows.append([line[2:]])
        elif line.startswith("  ") and sections[-1].rows and not sections[-1].columns:
            sections[-1].rows[-1][0] += f" {line.strip()}"
    return [section for section in sections if section.rows]


def _look_up(config, key):
    """Value of a dotted config key; `KeyError` where there is no such key."""
    for part in key.split("."):
        if not isinstance(config, dict):
            raise KeyError(key)
        config = config[part]
    return config


def plain(value):
    """Text of a config value, as YAML would write it in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {plain(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(plain, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def changes_in_words(changes):
    """Config keys that an experiment changes: (key, default, value), each as text."""
    return [(key, plain(default), plain(value)) for key, default, value in changes]


def values_named(row, config):
    """Config keys that a row names, with this run's values.

    Parameters
    ----------
    row : list of str
        Cells; a key stands between backticks, with or without a value behind a colon.
    config : dict

    Returns
    -------
    values : list of (key, text)
    """
    named = [code.split(":")[0].strip() for cell in row for code in _CODE.findall(cell)]
    values = []
    for key in dict.fromkeys(named):
        with contextlib.suppress(KeyError):  # not everything between backticks is a key
            values.append((key, plain(_look_up(config, key))))
    return values


def deviations_of(text, config):
    """Read the page and look up the values of one run.

    Returns
    -------
    sections : list of Section
    """
    sections = read_deviations(text)
    for section in sections:
        section.values = [values_named(row, config) for row in section.rows]
    return sections
