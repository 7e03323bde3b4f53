"""Rendering of templates to a self-contained HTML text."""

import itertools
import json
import re
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

TEMPLATES = Path(__file__).parent / "templates"
# JSON escapes of characters that could end a script element or have a meaning in HTML.
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def script_json(value):
    """Write JSON for a ``<script type="application/json">`` element.

    Parameters
    ----------
    value : object
        Plain values, or an object with ``as_dict()``.

    Returns
    -------
    json : Markup
    """
    plain = value.as_dict() if hasattr(value, "as_dict") else value
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Characters that could end the element are escaped above.
    return Markup(text.translate(_ESCAPES))  # noqa: S704


def inline(text):
    """Convert the inline Markdown of our pages to HTML: code between backticks, and bold.

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
    """Group neighbouring columns: name and number of columns of each group."""
    runs = itertools.groupby(columns, key=lambda column: column.group)
    return [{"name": name, "n": len(list(run))} for name, run in runs]


def _own_file(name):
    """Return one of our style sheets or scripts, to be inlined unescaped."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704


def environment():
    """Create the jinja2 environment: everything is escaped, and a missing value is an error.

    In addition to jinja2's own, templates have the filters `script_json`, `inline` and ``groups``,
    and the function ``own_file(name)``.
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
        Values for the template.

    Returns
    -------
    html : str
        Including style and script.
    """
    return environment().get_template(template).render(**context)
