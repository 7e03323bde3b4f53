"""Renamed keys of the config: an old name is refused, and the message gives the new one."""

# Dotted, from the old name to the new one.
RENAMED = {"collages": "soundscapes"}


def renamed_key(key):
    """Return the message for an old name of a key, else None.

    Parameters
    ----------
    key : str
        Dotted.
    """
    new = RENAMED.get(key)
    return None if new is None else f"config key {key}: expected its new name, {new}"
