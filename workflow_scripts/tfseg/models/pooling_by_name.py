"""Poolings by name, for your own networks (``docs/tutorials/python.md``)."""

from tfseg.errors import ConfigError
from tfseg.models import registry


def poolings():
    """List all declared poolings.

    Returns
    -------
    poolings : dict of str to tfseg.models.registry.Declaration
        Each has a ``summary``, and ``settings`` with type, default and description.
    """
    return registry.declarations(registry.POOLINGS)


def build_pooling(name, n_masks, **settings):
    """Build a pooling.

    Parameters
    ----------
    name : str
        A key of `poolings`.
    n_masks : int
        Number of masks; some poolings learn a parameter for each.
    **settings
        Settings that differ from their defaults.

    Returns
    -------
    pooling : torch.nn.Module
        Takes masks [shape=(batch, mask, time, mel), in 0..1]; returns tags [shape=(batch, mask)].
        If it has ``needs_attention``, it also takes ``attention`` in the shape of the masks.

    Raises
    ------
    tfseg.errors.ConfigError
        When there is no such pooling or setting.
    """
    declared = poolings()
    if name not in declared:
        raise ConfigError(f"pooling: expected one of {', '.join(declared)}, found {name}")
    defaults = declared[name].defaults
    unknown = [key for key in settings if key not in defaults]
    if unknown:
        known = ", ".join(defaults) or "no setting"
        raise ConfigError(f"pooling {name}: expected {known}, found {', '.join(unknown)}")
    module = registry.load(registry.POOLINGS, name)
    return module.build(n_masks, **defaults | settings)
