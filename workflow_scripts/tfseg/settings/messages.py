"""How a message names a key of the config, what it expected and what it found."""

import difflib


def dotted(path):
    """A key's path as text, e.g. ``mixing.snr_db[0]``."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def found(value):
    """A value and what it is, in the words of YAML."""
    kind = {str: "text", bool: "true/false", type(None): "null"}.get(
        type(value), type(value).__name__
    )
    return f"{value!r} ({kind})"


def number_hint(value):
    """Advice for a number that YAML read as text, else nothing."""
    try:
        float(value)
    except (TypeError, ValueError):
        return ""
    return "; write numbers without quotes, and 1e-3 as 1.0e-3 (YAML 1.1 reads 1e-3 as text)"


def guess(name, known):
    """A question after the known name that is most like this one, else nothing."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}? " if close else ""


def unknown_key(path, known):
    """Message of a key that is none of `known`."""
    hint = guess(path[-1], known)
    return f"config key {dotted(path)}: {hint}expected one of {', '.join(known) or 'none'}"
