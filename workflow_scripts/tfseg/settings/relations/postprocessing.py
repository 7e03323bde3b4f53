"""Relations of the section ``postprocessing``."""


def postprocessing_relations(config):
    """Check thresholds, and that there are validation clips to tune them on."""
    values = config["postprocessing"]
    if values["low_threshold"] > values["high_threshold"]:
        yield (
            "config key postprocessing.low_threshold: expected at most "
            f"postprocessing.high_threshold ({values['high_threshold']}), "
            f"found {values['low_threshold']}"
        )
    if values["tune"] and not config["split"]["validation"]:
        yield (
            "config key postprocessing.tune: expected false without validation clips, found true; "
            "set the config key split.validation to a share above 0, e.g. 0.15"
        )
