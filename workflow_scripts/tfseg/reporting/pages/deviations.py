"""Differences between papers, released code and tfseg, with a run's own values.

``resources/deviations.yaml`` is the only source of these facts. The report shows them, and
``docs/explanation/deviations.md`` is generated from them.
"""

import textwrap
from dataclasses import dataclass, field

import yaml

_TITLE = "# Where paper, released code and tfseg differ"
_COLUMNS = 100  # of a line of prose


@dataclass
class Section:
    """A heading, and its table (`columns` and `rows`) or list (`rows` of one cell).

    `values` holds, for each row, the config keys that it is about with this run's values.
    """

    heading: str
    columns: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    values: list = field(default_factory=list)


def _look_up(config, key):
    """Return the value of a dotted config key; `KeyError` if there is no such key."""
    for part in key.split("."):
        if not isinstance(config, dict):
            raise KeyError(key)
        config = config[part]
    return config


def plain(value):
    """Write a config value as text, as YAML does on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {plain(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(plain, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def changes_in_words(changes):
    """Return the config keys that an experiment changes: (key, default, value), each as text."""
    return [(key, plain(default), plain(value)) for key, default, value in changes]


def deviations_of(text, config):
    """Read the facts and look up the values of one run.

    Parameters
    ----------
    text : str
        YAML, as in ``resources/deviations.yaml``.
    config : dict

    Returns
    -------
    sections : list of Section
    """
    sections = []
    for part in yaml.safe_load(text)["sections"]:
        columns = part.get("columns", [])
        sections.append(
            Section(
                part["heading"],
                columns,
                [[row[name] for name in columns or ["difference"]] for row in part["rows"]],
                [
                    [(key, plain(_look_up(config, key))) for key in row.get("keys", [])]
                    for row in part["rows"]
                ],
            )
        )
    return sections


def _wrapped(text, indent=""):
    """Wrap a paragraph of Markdown, or an item of a list with `indent` under its text."""
    return textwrap.fill(
        text, _COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def docs_page(text):
    """Write the facts as ``docs/explanation/deviations.md``, with wrapped lines of prose.

    Parameters
    ----------
    text : str
        YAML, as in ``resources/deviations.yaml``.

    Returns
    -------
    page : str
        Markdown.
    """
    facts = yaml.safe_load(text)
    lines = [_TITLE, "", _wrapped(facts["introduction"])]
    for section in facts["sections"]:
        lines += ["", f"## {section['heading']}", ""]
        columns = section.get("columns")
        if columns:
            lines += ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
            lines += [
                "| " + " | ".join(row[name] for name in columns) + " |" for row in section["rows"]
            ]
        else:
            lines += [_wrapped(f"- {row['difference']}", "  ") for row in section["rows"]]
    return "\n".join(lines) + "\n"
