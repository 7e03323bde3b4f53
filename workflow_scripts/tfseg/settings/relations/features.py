"""Relations of the section ``features``."""

from tfseg.features.time_grid import TimeGrid

_LEAST_OFFSET = 1e-30


def time_grid(config):
    """Return the time grid of a config."""
    features = config["features"]
    return TimeGrid(features["sample_rate"], features["window_length"], features["hop_length"])


def window_s(config):
    """Return the length of a window in seconds."""
    return config["features"]["window_length"] / config["features"]["sample_rate"]


def feature_relations(config):
    """Check that the spectrum covers the mel bands."""
    features = config["features"]
    nyquist = features["sample_rate"] / 2
    if features["fmax_hz"] > nyquist:
        yield (
            f"config key features.fmax_hz: expected at most half of features.sample_rate "
            f"({nyquist:g}), found {features['fmax_hz']}"
        )
    if features["fmin_hz"] >= features["fmax_hz"]:
        yield (
            f"config key features.fmin_hz: expected less than features.fmax_hz "
            f"({features['fmax_hz']}), found {features['fmin_hz']}"
        )
    if features["log_offset"] < _LEAST_OFFSET:
        yield (
            f"config key features.log_offset: expected at least {_LEAST_OFFSET:g}, which float32 "
            f"holds, found {features['log_offset']}"
        )
    n_bins = features["window_length"] // 2 + 1
    if features["n_mels"] > n_bins:
        yield (
            f"config key features.n_mels: expected at most the {n_bins} frequencies of "
            f"features.window_length, found {features['n_mels']}"
        )
