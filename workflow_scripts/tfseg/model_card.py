"""The model card: ``model.json`` and ``detection.json`` as a page to read."""

from dataclasses import asdict
from pathlib import Path

import jinja2

from tfseg.models.registry import SYSTEMS


def _line(text):
    """Text of others on one line, without Markdown's marks taking effect."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#" else c for c in " ".join(str(text).split()))


def model_card(description, detection, template):
    """Write the card of a model.

    Parameters
    ----------
    description : dict
        ``model.json``.
    detection : tfseg.detection.DetectionSettings
    template : path-like
        Of jinja2 (``resources/model_card.md.jinja``).

    Returns
    -------
    text : str
        Markdown.
    """
    # The card is Markdown: `line` escapes what comes from others' tables.
    environment = jinja2.Environment(  # noqa: S701
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    environment.filters |= {"line": _line, "code": "`{}`".format}
    features = description["features"]
    return environment.from_string(Path(template).read_text(encoding="utf-8")).render(
        description,
        detection=asdict(detection),
        has_masks=SYSTEMS[description["network"]].has_masks,
        excerpt_s=description["training"]["excerpt_s"],
        n_bins=features["window_length"] // 2 + 1,
        hop_ms=1000 * features["hop_length"] / features["sample_rate"],
        number="{:.6g}".format,
    )
