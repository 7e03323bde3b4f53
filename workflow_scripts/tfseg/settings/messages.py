"""Parts of messages: a key of the config, what was expected, and what was found."""

import datetime
import difflib


def dotted(path):
    """Write a key's path as text, e.g. ``mixing.snr_db[0]``."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def found(value):
    """Describe a value and its type, in YAML's terms."""
    kind = {str: "text", bool: "true/false", type(None): "null"}.get(
        type(value), type(value).__name__
    )
    return f"{value!r} ({kind})"


def number_hint(value):
    """Return advice for a number that YAML reads as text, else an empty text."""
    try:
        float(value)
    except (TypeError, ValueError):
        return ""
    return "; write numbers without quotes, and 1e-3 as 1.0e-3 (YAML 1.1 reads 1e-3 as text)"


def text_hint(value):
    """Advice for a name that YAML read as a number, a date or true/false, else nothing."""
    kinds = ((bool, "true or false"), (int | float, "a number"), (datetime.date, "a date"))
    kind = next((words for types, words in kinds if isinstance(value, types)), None)
    if kind is None:
        return ""
    return (
        f"; YAML takes it for {kind}: write it in quotes, in a file for --configfile (--config takes "
        "it so even in quotes)"
    )


def guess(name, known):
    """Suggest the most similar known name, else return an empty text."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}? " if close else ""


def unknown_key(path, known):
    """Return the message for a key that is not in `known`."""
    hint = guess(path[-1], known)
    return f"config key {dotted(path)}: {hint}expected one of {', '.join(known) or 'none'}"
