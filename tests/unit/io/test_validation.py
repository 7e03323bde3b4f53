"""Spellings of names, and words for schemas."""

import jsonschema
import pytest

from tfseg.io.validation import expected_words, is_one_line, one_line, same_form, savable

NAMES = ["a.wav", "ü ß 🐦", "caf\udc82", "\udcff\udcfe", "a\nb", "a\tb", "\x1b[2J", "\u2028", "\ud800", ""]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_name_can_be_saved_and_shown(name):
    savable(name).encode()
    assert is_one_line(one_line(name))
    assert one_line(savable(name)) == one_line(name)
    if is_one_line(name):
        assert savable(name) == one_line(name) == name


def test_spellings():
    assert savable("caf\udc82\n") == "caf\\x82\n"
    assert one_line("caf\udc82\n\x1b") == "caf\\x82\\n\\x1b"
    assert same_form("e\u0301") == same_form("\u00e9") == "\u00e9"


@pytest.mark.parametrize(
    ("rule", "value", "words"),
    [
        ({"enum": ["a", None]}, "b", "one of a, null"),
        ({"minimum": 1}, 0, "at least 1"),
        ({"exclusiveMaximum": 1}, 1, "less than 1"),
        ({"minLength": 1}, "", "a text that is not empty"),
        ({"pattern": "^[^{}]*$", "in_words": "no braces"}, "{", "no braces"),
        ({"uniqueItems": True}, [1, 1], "every item once"),
        ({"format": "date", "not": {}}, 1, None),
    ],
)
def test_rules_in_words(rule, value, words):
    (error,) = jsonschema.Draft202012Validator(rule).iter_errors(value)
    assert expected_words(error) == words
