"""Checks of names that are used in paths, fields of tables, or lines of logs."""

import re

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def is_one_line(text):
    """Whether a text has no line end or other control character, and can be saved as UTF-8."""
    return _CONTROL.search(text) is None
