"""Networks that make masks."""

from typing import Annotated, Literal

from pydantic import Field

from tfseg.settings.fields import PositiveInteger, Section, ShareBelowOne, Widths, setting

# At most 8: 2^7 frames and bands are one.
UnetWidths = Annotated[list[PositiveInteger], Field(min_length=2, max_length=8)]
Dilations = Annotated[list[Annotated[int, Field(ge=1, le=1024)]], Field(min_length=1)]


class Vgg(Section):
    """The papers' trunk (TASLP Table I)."""

    widths: Widths = setting(
        [32, 32, 64, 64, 128, 128, 128, 128], "Feature maps of each 3x3 layer", unit="maps"
    )
    dropout: ShareBelowOne = setting(0.0, "After each pair of layers (JSC: 0.3)")


class Unet(Section):
    """A trunk that sees seconds and octaves; masks at full resolution."""

    widths: UnetWidths = setting(
        [16, 32, 64, 128],
        "Feature maps of each level; each is half as fine as the one before",
        unit="maps",
    )
    blocks: int = setting(
        1, "3x3 layers of each level on the way down", unit="layers", ge=1, le=100
    )
    dropout: ShareBelowOne = setting(0.0, "On the coarsest level")


class Dilated(Section):
    """A trunk of dilated layers."""

    width: PositiveInteger = setting(32, "Feature maps of each 3x3 layer", unit="maps")
    dilations: Dilations = setting(
        [1, 2, 4, 8, 16],
        "What a layer sees lies so far apart, of each layer behind the first",
        unit="frames",
    )
    dropout: ShareBelowOne = setting(0.0, "Before the masks")


class Trunk(Section):
    """Section ``trunk``."""

    kind: Literal["vgg", "unet", "dilated"] = setting(
        "vgg", "Trunk of the systems with masks; vgg is the papers'"
    )
    vgg: Vgg = setting(Vgg, "Used when kind is vgg")
    unet: Unet = setting(Unet, "Used when kind is unet")
    dilated: Dilated = setting(Dilated, "Used when kind is dilated")
    background: bool = setting(False, "Train one more mask, one minus the sum of the events' (JSC)")
    share_energy: bool = setting(
        False, "The masks and a background's sum to one in each unit (softmax)"
    )
