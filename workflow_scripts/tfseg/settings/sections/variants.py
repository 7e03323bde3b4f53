"""Systems with a recipe of their own."""

from typing import Annotated, Any, NotRequired, Required

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict  # pydantic refuses that of Python 3.11

Name = Annotated[str, Field(max_length=50, pattern="^[A-Za-z][A-Za-z0-9_]*$")]
# What each changes is checked as the section itself (tfseg.settings.relations.variants).
Changes = dict[str, Any]


class Variant(TypedDict, total=False):
    """An entry of ``variants``: it has only what differs, and what it builds on."""

    # The way that pydantic documents; the type checker knows fields alone.
    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[misc]

    system: Required[Annotated[str, Field(description="Registered system that it builds on")]]
    teacher: NotRequired[
        Annotated[
            str | None, Field(description="System of this experiment whose masks it learns from")
        ]
    ]
    trunk: NotRequired[Annotated[Changes, Field(description="What differs of trunk")]]
    pooling: NotRequired[Annotated[Changes, Field(description="What differs of pooling")]]
    training: NotRequired[Annotated[Changes, Field(description="What differs of training")]]


UNET = {
    "unet": {
        "system": "linear_softmax",
        "trunk": {"kind": "unet"},
        "training": {"average_weights": 0.99, "augmentation": {"time_shift": True}},
    }
}
