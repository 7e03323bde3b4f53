"""What the sections of the config are written with: their base class, their fields, their types.

Only for writing the schema, the table of keys and other generated files: no job and no start of
Snakemake imports pydantic.
"""

import itertools
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import core_schema


def _require_all(schema):
    """Have a section name all of its keys: an overlay is merged before it is checked."""
    schema["required"] = list(schema["properties"])


class Section(BaseModel):
    """A section of the config: refuses unknown keys, and has every key once it is merged."""

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
        Of a number.
    json : dict, optional
        Further facts that the schema carries.
    **limits
        Of `pydantic.Field`: ge, gt, le, lt, pattern, min_length, max_length.
    """
    facts = dict(json or {}) | ({"unit": unit} if unit else {})
    if isinstance(default, type):
        return Field(default_factory=default, description=description, json_schema_extra=facts)
    return Field(default, description=description, json_schema_extra=facts, **limits)


@dataclass(frozen=True)
class _Keyword:
    """A keyword of JSON schema that pydantic has no name for, and the check that belongs to it."""

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
# Not JSON schema's: the checks know it (tfseg.settings.schema_errors).
ODD = _Keyword("odd", True)


def holding(value):
    """Of a list: `value` is in it."""
    return _Keyword("contains", {"const": value})


# A count beyond it is a slip, and would end in an array that no machine holds.
_MANY = 1_000_000_000
_Item = TypeVar("_Item")

PositiveInteger = Annotated[int, Field(ge=1, le=_MANY)]
OddInteger = Annotated[int, Field(ge=1, le=_MANY), ODD]
Frames = Annotated[int, Field(ge=0, le=_MANY)]
Threshold = Annotated[float, Field(ge=0, lt=1)]
Seconds = Annotated[float, Field(gt=0, le=86400)]
PositiveNumber = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
ShareBelowOne = Annotated[float, Field(ge=0, lt=1)]
SnrDb = Annotated[float, Field(ge=-60, le=100)]
Widths = Annotated[list[PositiveInteger], Field(min_length=1)]
Text = Annotated[str, Field(min_length=1)]
Host = Annotated[str, Field(pattern="^https?://[^/ ]+$")]
# Braces would be wildcards of Snakemake's paths.
PathWithoutBraces = Annotated[str, Field(pattern="^[^{}]+$")]
# Keys that something declares in its own file (tfseg.models.registry, tfseg.datasets.corpora).
Declared = dict[str, Any]
EachOnce = Annotated[list[_Item], EACH_ONCE]
