"""The named systems. Imports nothing, so that the DAG can read it.

A system's name is spelled the same in the config, in paths and in tables. A further system takes
one file and one line: a module beside this one with ``build(n_classes, n_mels, **settings)``, and
its line below (``docs/systems.md`` shows how).
"""

from typing import NamedTuple


class System(NamedTuple):
    """What a name stands for: a pooling over the mask trunk, or a network of its own.

    Parameters
    ----------
    pooling : str or None
        Of a system with masks (`tfseg.models.systems`); its trunk is the config's.
    module : str or None
        Of a system without masks: the module of `tfseg.models` that builds it.
    """

    pooling: str | None = None
    module: str | None = None

    @property
    def has_masks(self):
        """Whether the system gives T-F masks."""
        return self.pooling is not None


SYSTEMS = {
    "gmp": System(pooling="gmp"),
    "gap": System(pooling="gap"),
    "gwrp": System(pooling="gwrp"),
    "linear_softmax": System(pooling="linear_softmax"),
    "power": System(pooling="power"),
    "auto": System(pooling="auto"),
    "log_sum_exp": System(pooling="log_sum_exp"),
    "tf_attention": System(pooling="tf_attention"),
    "gwrp_learned": System(pooling="gwrp_learned"),
    "dnn": System(module="dnn"),
    "wldcnn": System(module="wldcnn"),
    "framecnn": System(module="framecnn"),
    "attention": System(module="attention"),
}
