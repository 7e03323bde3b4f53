"""Keys of the config that had other names: an old name is refused with its new one."""

# Dotted, from the old name to the new one.
RENAMED = {"collages": "soundscapes"}


def renamed_key(key):
    """Message of a key whose name is an old one, else None.

    Parameters
    ----------
    key : str
        Dotted.
    """
    new = RENAMED.get(key)
    return None if new is None else f"config key {key}: expected its new name, {new}"
