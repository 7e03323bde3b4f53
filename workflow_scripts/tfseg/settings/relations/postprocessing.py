"""Relations of the section ``postprocessing``."""


def postprocessing_relations(config):
    """Check thresholds, and that there are clips to choose them on."""
    values = config["postprocessing"]
    if values["low_threshold"] > values["high_threshold"]:
        yield (
            "config key postprocessing.low_threshold: expected at most "
            f"postprocessing.high_threshold ({values['high_threshold']}), "
            f"found {values['low_threshold']}"
        )
    if values["tune"] and not config["split"]["validation"]:
        yield (
            "config key postprocessing.tune: expected false without a part to choose on, found true; "
            "give the config key split.validation a share above 0, e.g. 0.15"
        )
