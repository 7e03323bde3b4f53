"""Relations of the section ``mixing``."""

from tfseg.settings.relations.features import time_grid, window_s

_ROUNDING = 1e-9  # 0.3 / 0.1 is below 3


def mixing_relations(config):
    """Check lengths, SNRs and the layout of events."""
    mixing, grid = config["mixing"], time_grid(config)
    if grid.n_samples(mixing["duration_s"]) < config["features"]["window_length"]:
        yield (
            f"config key mixing.duration_s: expected at least one window "
            f"({window_s(config):g} s), found {mixing['duration_s']}"
        )
    if grid.n_samples(mixing["max_event_s"]) < 1:
        yield (
            "config key mixing.max_event_s: expected at least one sample "
            f"({1 / config['features']['sample_rate']:g} s), found {mixing['max_event_s']}"
        )
    for index, snr_db in enumerate(mixing["snr_db"]):
        # Jobs read an SNR back from its text in paths.
        text = f"{snr_db:g}"
        if float(text) != snr_db or text == "-0":
            yield (
                f"config key mixing.snr_db[{index}]: expected a number of at most six digits, "
                f"found {snr_db}"
            )
    yield from _layout_relations(mixing, grid)


def _layout_relations(mixing, grid):
    """Check the onsets of the events of a mixture."""
    duration_s, onsets_s = mixing["duration_s"], mixing["onsets_s"]
    if isinstance(onsets_s, list):
        for index, onset_s in enumerate(onsets_s):
            if grid.n_samples(onset_s) >= grid.n_samples(duration_s):
                yield (
                    f"config key mixing.onsets_s[{index}]: expected less than mixing.duration_s "
                    f"({duration_s}), found {onset_s}"
                )
    given = mixing["events_per_mixture"]
    least, most = given if isinstance(given, list) else (given, given)
    if least > most:
        yield (
            "config key mixing.events_per_mixture[0]: "
            f"expected at most the second number ({most}), found {least}"
        )
    longest_s = min(mixing["max_event_s"], duration_s)
    n_fitting = int(duration_s / longest_s + _ROUNDING)
    if onsets_s == "random" and not mixing["overlap"] and most > n_fitting:
        yield (
            f"config key mixing.events_per_mixture: expected at most {n_fitting}, the number of "
            f"events of mixing.max_event_s ({mixing['max_event_s']}) that fit into "
            f"mixing.duration_s ({duration_s}) without overlap (mixing.overlap: false), "
            f"found {most}"
        )
