"""Systems with a recipe of their own."""

from typing import Annotated, Any, NotRequired, Required

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict  # pydantic refuses that of Python 3.11

Name = Annotated[str, Field(max_length=50, pattern="^[A-Za-z][A-Za-z0-9_]*$")]
NAME_IN_WORDS = "a name of the letters a to z, digits and _, a letter first"
# The changes are checked like the sections themselves (tfseg.settings.relations.variants).
Changes = dict[str, Any]


class Variant(TypedDict, total=False):
    """An entry of ``variants``: the system that it builds on, and its changes."""

    # As pydantic documents it; the type checker knows only fields.
    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[misc]

    system: Required[Annotated[str, Field(description="Registered system that it builds on")]]
    teacher: NotRequired[
        Annotated[
            str | None, Field(description="System of this experiment whose masks it learns from")
        ]
    ]
    trunk: NotRequired[Annotated[Changes, Field(description="Changes to trunk")]]
    pooling: NotRequired[Annotated[Changes, Field(description="Changes to pooling")]]
    training: NotRequired[Annotated[Changes, Field(description="Changes to training")]]


UNET = {
    "unet": {
        "system": "linear_softmax",
        "trunk": {"kind": "unet"},
        "training": {"average_weights": 0.99, "augmentation": {"time_shift": True}},
    }
}
