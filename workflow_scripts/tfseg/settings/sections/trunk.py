"""Networks that compute masks; each network declares its own keys."""

from pydantic import ConfigDict

from tfseg.settings.fields import Declared, Section, setting


class Trunk(Section):
    """Section ``trunk``; the keys of each trunk are added by `tfseg.settings.declared`."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Declared]

    kind: str = setting("vgg", "Trunk of the systems with masks; vgg: the papers' trunk")
    background: bool = setting(
        False, "Train one more mask: one minus the sum of the events' masks (JSC)"
    )
    share_energy: bool = setting(
        False, "Masks and a background mask sum to one in each unit (softmax)"
    )
