"""Base class, fields and types for the sections of the config.

They are used only to write the schema, the table of keys and other generated files. Neither jobs
nor the start of Snakemake import pydantic.
"""

import itertools
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import core_schema


def _require_all(schema):
    """Require all keys of a section: overlays are merged before the check."""
    schema["required"] = list(schema["properties"])


class Section(BaseModel):
    """A section of the config: unknown keys are refused, and all keys required after merging."""

    model_config = ConfigDict(
        extra="forbid", strict=True, regex_engine="python-re", json_schema_extra=_require_all
    )


def setting(default, description, *, unit=None, json=None, **limits):
    """Declare a key.

    Parameters
    ----------
    default : object or type
        A plain value; a `Section` for a section inside a section; ``...`` for none.
    description : str
        One line, for the table of keys.
    unit : str, optional
        Unit of a number.
    json : dict, optional
        Further entries of the schema.
    **limits
        Limits of `pydantic.Field`: ge, gt, le, lt, pattern, min_length, max_length.
    """
    facts = dict(json or {}) | ({"unit": unit} if unit else {})
    if isinstance(default, type):
        return Field(default_factory=default, description=description, json_schema_extra=facts)
    return Field(default, description=description, json_schema_extra=facts, **limits)


@dataclass(frozen=True)
class _Keyword:
    """A keyword of JSON schema that pydantic lacks, with its check."""

    keyword: str
    value: Any = field(hash=False)

    def _check(self, value):
        fits = {
            "uniqueItems": lambda: all(a != b for a, b in itertools.combinations(value, 2)),
            "contains": lambda: self.value["const"] in value,
            "odd": lambda: value % 2 == 1,
        }[self.keyword]
        if not fits():
            raise ValueError(f"expected {self.keyword}: {self.value}")
        return value

    def __get_pydantic_core_schema__(self, source, handler):
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema, handler):
        return handler(schema) | {self.keyword: self.value}


EACH_ONCE = _Keyword("uniqueItems", True)
# Not a keyword of JSON schema; tfseg.settings.schema_errors checks it.
ODD = _Keyword("odd", True)


def holding(value):
    """Require that a list contains `value`."""
    return _Keyword("contains", {"const": value})


def named(pattern, in_words, in_table=None, **limits):
    """Declare what a text has to look like.

    Parameters
    ----------
    pattern : str
        Regular expression.
    in_words : str
        The same for a reader, after "expected"; no message shows the expression.
    in_table : str, optional
        Fewer words for the table of keys, where `in_words` are too long for a cell.
    **limits
        Of `pydantic.Field`.
    """
    facts = {"in_words": in_words} | ({"in_table": in_table} if in_table else {})
    return Field(pattern=pattern, json_schema_extra=facts, **limits)


# A larger count is a typing error, and would need an array too large for any machine.
MANY = 1_000_000_000
_Item = TypeVar("_Item")

PositiveInteger = Annotated[int, Field(ge=1, le=MANY)]
OddInteger = Annotated[int, Field(ge=1, le=MANY), ODD]
Frames = Annotated[int, Field(ge=0, le=MANY)]
Threshold = Annotated[float, Field(ge=0, lt=1)]
Seconds = Annotated[float, Field(gt=0, le=86400)]
PositiveNumber = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
ShareBelowOne = Annotated[float, Field(ge=0, lt=1)]
SnrDb = Annotated[float, Field(ge=-60, le=100)]
Widths = Annotated[list[PositiveInteger], Field(min_length=1)]
Text = Annotated[str, Field(min_length=1)]
Host = Annotated[
    str,
    named(
        "^https?://[^/ ]+$",
        "http:// or https:// and the name of a server, no path after it",
        "the address of a server",
    ),
]
# Braces would be wildcards of Snakemake's paths; of ~ and $HOME only a shell knows what they mean.
PlainPath = Annotated[
    str,
    named(
        "^(?![~$])[^{}]*$",
        "a path without { and }, and with ~ and variables like $HOME written out",
        "a path",
        min_length=1,
    ),
]
# Keys that something declares in its own file (tfseg.models.registry, tfseg.datasets.corpora).
Declared = dict[str, Any]
EachOnce = Annotated[list[_Item], EACH_ONCE]
