"""Checks of names that are used in paths, fields of tables, or lines of logs."""

import re
import unicodedata

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


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
    """Spell a text in one line that can be saved as UTF-8 and shown on a terminal.

    Control characters, and bytes of names that are no UTF-8, become ``\\n``, ``\\x82`` and the like.
    """
    return _CONTROL.sub(_spelt, str(text))


def same_form(text):
    """Spell a name in the form in which names that look alike are equal (Unicode's NFC)."""
    return unicodedata.normalize("NFC", text)
