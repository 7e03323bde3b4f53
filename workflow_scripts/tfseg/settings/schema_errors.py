"""Errors of a config against its schema, a line for each key; uses jsonschema, not pydantic."""

import functools
import json
import math
import re
import unicodedata
from pathlib import Path

import jsonschema

from tfseg.datasets.corpora import declared_schema
from tfseg.io.validation import is_one_line
from tfseg.settings.declared import with_declarations
from tfseg.settings.messages import dotted, found, number_hint, text_hint, unknown_key
from tfseg.settings.renamed import renamed_key

_SCHEMA_PATH = Path(__file__).resolve().parents[3] / "schemas" / "config.schema.json"


_MARKS = ("Mn", "Mc")


def _is_integer(_, value):
    return isinstance(value, int) and not isinstance(value, bool)


def _even(validator, wanted, value, schema):
    """Yield an error for an even number where an odd one is required."""
    if wanted and _is_integer(validator, value) and value > 0 and value % 2 == 0:
        yield jsonschema.ValidationError(f"{value} is even")


def _pattern(_, rule, value, schema):
    r"""Yield an error for a text that a pattern refuses.

    ``\w`` knows letters and not the marks that combine with them, without which Devanagari, Thai or
    a name as macOS decomposes it cannot be written: marks count with the letter before them.
    """
    if not isinstance(value, str):
        return
    if "\\w" in rule:
        value = value[:1] + "".join(c for c in value[1:] if unicodedata.category(c) not in _MARKS)
    if re.search(rule, value) is None:
        yield jsonschema.ValidationError(f"it has to be {schema['in_words']}")


# JSON schema accepts 2000.0 as an integer, but a count that is a float would fail later.
_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    {"odd": _even, "pattern": _pattern},
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


@functools.cache
def _validator():
    schema = json.loads(_SCHEMA_PATH.read_text(encoding="utf-8"))
    return _Validator(with_declarations(declared_schema(schema)))


def _explain(error):
    """Turn one jsonschema error into a message: the key, what was expected, what was found."""
    path, value, rule = list(error.absolute_path), error.instance, error.validator_value
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        unknown = sorted(map(str, set(value) - set(known)))
        return [
            renamed_key(dotted([*path, name])) or unknown_key([*path, name], known)
            for name in unknown
        ]
    if error.validator == "required":
        missing = [name for name in rule if name not in value]
        return [f"config key {dotted([*path, name])}: expected, not found" for name in missing]
    expected = {
        "type": lambda: f"a value of type {rule}",
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
        "odd": lambda: "an odd number",
    }.get(error.validator, lambda: error.message)()
    hint = ""
    if error.validator == "type":
        hint = text_hint(value) if "string" in rule else number_hint(value)
    key = dotted(path) or "(top level)"
    return [f"config key {key}: expected {expected}, found {found(value)}{hint}"]


def schema_errors(config):
    """List the errors of a config against its schema.

    Parameters
    ----------
    config : object
        The merged content of the YAML files.

    Returns
    -------
    messages : list of str
        A line for each key.
    """
    errors = sorted(_validator().iter_errors(config), key=lambda e: list(map(str, e.absolute_path)))
    # jsonschema reports a section once for each of its missing keys.
    return list(dict.fromkeys(message for error in errors for message in _explain(error)))


def unfit_values(value, path=()):
    """Find values that no key can use, but that the schema accepts.

    NaN passes every limit. The ``$`` of a pattern accepts a line end, and texts become paths.

    Parameters
    ----------
    value : object
        A config, or its value at `path`.
    path : tuple

    Returns
    -------
    messages : list of str
    """
    if isinstance(value, dict):
        return [m for key, item in value.items() for m in unfit_values(item, (*path, key))]
    if isinstance(value, list):
        return [m for index, item in enumerate(value) for m in unfit_values(item, (*path, index))]
    if isinstance(value, float) and not math.isfinite(value):
        return [f"config key {dotted(path)}: expected a finite number, found {value}"]
    if isinstance(value, str) and not is_one_line(value):
        return [
            f"config key {dotted(path)}: expected one line without control characters, "
            f"found {value!r}"
        ]
    return []
