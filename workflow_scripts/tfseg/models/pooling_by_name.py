"""Poolings by name, for networks of one's own (``docs/tutorials/python.md``)."""

from tfseg.errors import ConfigError
from tfseg.models import registry


def poolings():
    """All poolings that are declared.

    Returns
    -------
    poolings : dict of str to tfseg.models.registry.Declaration
        Each with its ``summary``, and ``settings`` with type, default and description.
    """
    return registry.declarations(registry.POOLINGS)


def build_pooling(name, n_masks, **settings):
    """Build a pooling.

    Parameters
    ----------
    name : str
        A key of `poolings`.
    n_masks : int
        Masks that it is given: some poolings learn something for each.
    **settings
        Those that shall differ from their defaults.

    Returns
    -------
    pooling : torch.nn.Module
        Takes masks [shape=(batch, mask, time, mel), in 0..1]; returns tags [shape=(batch, mask)].
        Where it has ``needs_attention``, it takes ``attention`` of the masks' shape too.

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
