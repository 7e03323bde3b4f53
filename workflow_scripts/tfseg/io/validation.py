"""Checks and spellings of names and values, and words for what a schema expects."""

import re
import unicodedata

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def is_one_line(text):
    """Whether a text has no line end or other control character, and can be saved as UTF-8."""
    return _CONTROL.search(text) is None


def _spelt(match):
    sign = match.group()
    code = ord(sign)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a name that is no UTF-8, as Python reads it
        return f"\\x{code - 0xDC00:02x}"
    return sign.encode("unicode_escape").decode()


def savable(text):
    r"""Spell a text so that UTF-8 can hold it: bytes of names that are no UTF-8 become ``\x82``."""
    return _SURROGATE.sub(_spelt, str(text))


def one_line(text):
    r"""Spell a text in one line that a terminal can show: as `savable`, ``\n`` for a line end."""
    return _CONTROL.sub(_spelt, str(text))


def same_form(text):
    """Spell a name in the form in which names that look alike are equal (Unicode's NFC)."""
    return unicodedata.normalize("NFC", text)


def expected_words(error):
    """Put into words what a rule of a schema expects; a pattern has them beside it, as ``in_words``.

    Parameters
    ----------
    error : jsonschema.ValidationError

    Returns
    -------
    words : str
        To stand behind "expected".
    """
    rule = error.validator_value
    words = {
        "enum": lambda: "one of " + ", ".join("null" if v is None else str(v) for v in rule),
        "minimum": lambda: f"at least {rule}",
        "maximum": lambda: f"at most {rule}",
        "exclusiveMinimum": lambda: f"more than {rule}",
        "exclusiveMaximum": lambda: f"less than {rule}",
        "minItems": lambda: f"at least {rule} item(s)",
        "maxItems": lambda: f"at most {rule} item(s)",
        "uniqueItems": lambda: "every item once",
        "minLength": lambda: "a text that is not empty",
        "maxLength": lambda: f"at most {rule} characters",
        "pattern": lambda: error.schema["in_words"],
        "contains": lambda: f"a list with {rule['const']!r} in it",
    }
    return words[error.validator]() if error.validator in words else None
