"""The model card: ``model.json`` and ``detection.json`` as a readable page."""

from dataclasses import asdict
from pathlib import Path

import jinja2

from tfseg.inference.events import of_class
from tfseg.models.registry import systems
from tfseg.settings.detection_keys import HEADINGS


def _line(text):
    """Escape Markdown in text from users, and put it on one line."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#" else c for c in " ".join(str(text).split()))


def _by_class(values, classes):
    """Return the settings that differ between classes: their names, and one row per class."""
    own = [key for key in HEADINGS if isinstance(values.get(key), tuple)]
    rows = [[f"{of_class(values[key], k):.4g}" for key in own] for k in range(len(classes))]
    return [HEADINGS[key] for key in own], dict(zip(classes, rows, strict=True))


def model_card(description, detection, template, *, tuned=False):
    """Write the card of a model.

    Parameters
    ----------
    description : dict
        ``model.json``.
    detection : tfseg.inference.operating_point.DetectionSettings
    template : path-like
        A jinja2 template (``resources/model_card.md.jinja``).
    tuned : bool
        Whether thresholds were chosen on validation clips.

    Returns
    -------
    text : str
        Markdown.
    """
    # The card is Markdown: `line` escapes text from users' tables.
    environment = jinja2.Environment(  # noqa: S701
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    environment.filters |= {"line": _line, "code": "`{}`".format}
    features = description["features"]
    values = {**asdict(detection), **asdict(detection.postprocessing)}
    columns, rows = _by_class(values, description["classes"])
    return environment.from_string(Path(template).read_text(encoding="utf-8")).render(
        description,
        detection=values,
        columns=columns,
        rows=rows,
        tuned=tuned,
        value=lambda key: (
            f"the class's `{HEADINGS[key]}`" if HEADINGS[key] in columns else values[key]
        ),
        has_masks=systems()[description["network"]].has_masks,
        excerpt_s=description["training"]["excerpt_s"],
        n_bins=features["window_length"] // 2 + 1,
        hop_ms=1000 * features["hop_length"] / features["sample_rate"],
        number="{:.6g}".format,
    )
