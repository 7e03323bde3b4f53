"""The straightforward way from recordings to features, for comparison.

One SNR at a time; every recording is read, resampled and transformed again for each SNR.
"""

import librosa
import numpy as np

from tfseg.io.audio import fit_length  # for a comparison of the same signals


def _read(path, start_s, stop_s, sample_rate):
    samples, _ = librosa.load(
        path,
        sr=sample_rate,
        mono=True,
        offset=start_s,
        duration=stop_s - start_s,
        res_type="soxr_hq",
    )
    return samples


def _unit_rms(samples):
    return samples / np.sqrt(np.mean(samples**2))


def mixture_features(scene_path, events, snr_db, config):
    """Compute log-mel and ideal binary masks of one mixture at one SNR, from its recordings.

    Parameters
    ----------
    scene_path : str
        A recording; extended as in the workflow if it is too short.
    events : list of (path, start_s, stop_s, onset_s)
    snr_db : float
    config : dict
        The merged configuration.

    Returns
    -------
    logmel : np.ndarray [shape=(n_frames, n_mels)]
    masks : list of np.ndarray [shape=(n_frames, n_mels), dtype=bool]
        One for each event, not yet limited to its strong label.
    """
    features, mixing = config["features"], config["mixing"]
    rate = features["sample_rate"]
    n_samples = int(mixing["duration_s"] * rate)
    scene = _read(scene_path, 0, mixing["duration_s"], rate)
    scene = _unit_rms(fit_length(scene, n_samples, rate))
    tracks = []
    for path, start_s, stop_s, onset_s in events:
        event = _unit_rms(_read(path, start_s, stop_s, rate))[: int(mixing["max_event_s"] * rate)]
        track = np.zeros(n_samples, dtype=np.float32)
        first = int(onset_s * rate)
        track[first : first + len(event)] = event[: n_samples - first]
        tracks.append(10 ** (snr_db / 20) * track)
    gain = 0.5 / max(np.abs(scene).max(), np.abs(sum(tracks)).max())
    signals = [gain * (scene + sum(tracks)), *(gain * track for track in tracks)]
    window = np.hamming(features["window_length"])
    scale = 1 / np.sqrt(np.sum(window**2))
    spectra = [
        scale
        * librosa.stft(
            signal,
            n_fft=features["window_length"],
            hop_length=features["hop_length"],
            window=window,
            center=False,
        ).T
        for signal in signals
    ]
    filters = librosa.filters.mel(
        sr=rate,
        n_fft=features["window_length"],
        n_mels=features["n_mels"],
        fmin=features["fmin_hz"],
        fmax=features["fmax_hz"],
    )
    criterion = 10 ** (features["ibm_criterion_db"] / 20)
    logmel = np.log(np.abs(spectra[0]) @ filters.T + features["log_offset"])
    masks = [
        np.abs(event) @ filters.T > criterion * (np.abs(spectra[0] - event) @ filters.T)
        for event in spectra[1:]
    ]
    return logmel, masks
