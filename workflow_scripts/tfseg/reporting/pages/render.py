"""Templates to one HTML text that needs nothing but itself."""

import itertools
import json
import re
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

TEMPLATES = Path(__file__).parent / "templates"
# Characters that could end a script element or mean something in HTML, as JSON may also write them.
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def script_json(value):
    """JSON that may stand inside a ``<script type="application/json">`` element.

    Parameters
    ----------
    value : object
        Plain values, or something with ``as_dict()``.

    Returns
    -------
    json : Markup
    """
    plain = value.as_dict() if hasattr(value, "as_dict") else value
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # What could end the element was just escaped.
    return Markup(text.translate(_ESCAPES))  # noqa: S704


def inline(text):
    """HTML of the inline Markdown that our own pages use: code between backticks, bold.

    Parameters
    ----------
    text : str

    Returns
    -------
    html : Markup
    """
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup(re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", html))  # noqa: S704


def _groups(columns):
    """Runs of neighbouring columns of one group: name and number."""
    runs = itertools.groupby(columns, key=lambda column: column.group)
    return [{"name": name, "n": len(list(run))} for name, run in runs]


def _own_file(name):
    """Style sheet or script of ours, to be inlined as it is."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704


def environment():
    """Make the jinja2 environment: everything is escaped, a missing value is an error.

    Beside jinja2's own, templates know the filters `script_json`, `inline` and ``groups``, and
    ``own_file(name)``.
    """
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"script_json": script_json, "inline": inline, "groups": _groups}
    made.globals["own_file"] = _own_file
    return made


def render(template, **context):
    """Render a page.

    Parameters
    ----------
    template : str
        Name of a file in ``templates/`` that extends ``base.html``.
    **context
        Values that the template names.

    Returns
    -------
    html : str
        Style and script are part of it.
    """
    return environment().get_template(template).render(**context)
