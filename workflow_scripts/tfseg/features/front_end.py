"""The front end in numpy alone: a reference for running an exported model elsewhere.

It imports nothing of tfseg, so that it can be copied. The workflow itself uses the faster
`tfseg.features.logmel.Spectrograms`; a test checks that both are equal. There is no resampling: the
input is mono samples at the model's rate, with full scale 1.0.
"""

import numpy as np

# Slaney's mel scale: linear up to 15 mel at 1000 Hz; above, 27 mel for each factor of 6.4.
_BREAK_HZ, _BREAK_MEL, _LOG_STEP = 1000.0, 15.0, np.log(6.4) / 27


def mel_of_hz(hz):
    """Convert Hz to Slaney's mel."""
    hz = np.asarray(hz, dtype=float)
    above = _BREAK_MEL + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz < _BREAK_HZ, hz * _BREAK_MEL / _BREAK_HZ, above)


def hz_of_mel(mel):
    """Convert Slaney's mel to Hz."""
    mel = np.asarray(mel, dtype=float)
    above = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _BREAK_HZ / _BREAK_MEL, above)


def mel_filters(features):
    """Triangular mel bands of unit area over Hz.

    Band i rises from edge i to edge i + 1 and falls to edge i + 2. The edges are equally spaced on
    the mel scale. M. Slaney: Auditory Toolbox, Interval Research, 1998.

    Parameters
    ----------
    features : dict
        As `log_mel` takes it.

    Returns
    -------
    filters : np.ndarray [shape=(n_mels, window_length // 2 + 1), dtype=float32]
    """
    bins_hz = np.fft.rfftfreq(features["window_length"], 1 / features["sample_rate"])
    lowest, highest = mel_of_hz(features["fmin_hz"]), mel_of_hz(features["fmax_hz"])
    edges_hz = hz_of_mel(np.linspace(lowest, highest, features["n_mels"] + 2))
    low, centre, high = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    rising, falling = (bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre)
    triangles = np.maximum(np.minimum(rising, falling), 0)
    return (triangles * 2 / (high - low)).astype(np.float32)


def log_mel(samples, features):
    """Compute a model's input, a log-mel spectrogram: not standardised, frames not centred.

    Parameters
    ----------
    samples : np.ndarray [shape=(n_samples,)]
        Mono, at the model's rate, at least one window long.
    features : dict
        ``features`` of ``model.json``, or of an ONNX file's metadata: ``sample_rate`` (Hz),
        ``window_length`` and ``hop_length`` (samples), ``n_mels``, ``fmin_hz``, ``fmax_hz``,
        ``log_offset``.

    Returns
    -------
    logmel : np.ndarray [shape=(n_frames, n_mels), dtype=float32]
    """
    length, hop = features["window_length"], features["hop_length"]
    window = np.hamming(length)  # symmetric
    window /= np.sqrt(np.sum(window**2))
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(samples), length)[::hop]
    magnitude = np.abs(np.fft.rfft(frames * window, axis=-1))
    mel = magnitude @ mel_filters(features).T
    return np.log(mel + features["log_offset"]).astype(np.float32)
