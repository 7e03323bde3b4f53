"""Comparison of configs: sorted keys, and the differences between two."""


def sorted_keys(value):
    """Copy a config value with all keys sorted, so that a change of their order re-runs nothing."""
    if isinstance(value, dict):
        return {key: sorted_keys(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [sorted_keys(item) for item in value]
    return value


def changed_keys(defaults, config):
    """List the keys whose value is not the default.

    Parameters
    ----------
    defaults, config : dict
        With the same sections.

    Returns
    -------
    changed : list of [key, default, value]
        Dotted keys, in the order of `defaults`; a list counts as one value.
    """
    changed = []
    for key, default in defaults.items():
        value = config[key]
        if isinstance(default, dict) and isinstance(value, dict):
            changed += [[f"{key}.{k}", *rest] for k, *rest in changed_keys(default, value)]
        elif value != default:
            changed.append([key, default, value])
    return changed
