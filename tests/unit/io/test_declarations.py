"""Declarations are read from the text of a module, which is never run."""

import ast

import pytest

from tfseg.errors import ConfigError
from tfseg.io.declarations import read_declaration


@pytest.fixture
def module(tmp_path):
    """Return a function that writes a module."""

    def write(text):
        path = tmp_path / "mine.py"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("before", ["", '"""Mine."""\n', "import nothing_of_that_name\n\n"])
def test_a_literal_is_read_and_nothing_is_imported(module, before):
    path = module(f'{before}DECLARATION = {{"summary": "é", "settings": {{"n": (1, None)}}}}\n')
    assert read_declaration(path) == {"summary": "é", "settings": {"n": (1, None)}}


@pytest.mark.parametrize(
    "text", ["", "OTHER = 1\n", "def f():\n    DECLARATION = {}\n", "DECLARATIONS = {}\n"]
)
def test_a_module_may_declare_nothing(module, text):
    assert read_declaration(module(text)) is None


def test_a_module_without_declaration_is_not_parsed(module, monkeypatch):
    monkeypatch.setattr(ast, "parse", None)
    assert read_declaration(module("OTHER = 1\n")) is None


def test_an_expression_is_refused_with_its_file(module):
    with pytest.raises(ConfigError, match=r"mine\.py: DECLARATION: expected a literal"):
        read_declaration(module("DECLARATION = dict(summary='x')\n"))
