"""Networks that make masks, but for what each of them declares itself."""

from pydantic import ConfigDict

from tfseg.settings.fields import Declared, Section, setting


class Trunk(Section):
    """Section ``trunk``; the keys of each trunk are added by `tfseg.settings.declared`."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Declared]

    kind: str = setting("vgg", "Trunk of the systems with masks; vgg is the papers'")
    background: bool = setting(False, "Train one more mask, one minus the sum of the events' (JSC)")
    share_energy: bool = setting(
        False, "The masks and a background's sum to one in each unit (softmax)"
    )
