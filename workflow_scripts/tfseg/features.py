"""Log-mel spectrograms and ideal masks of all SNRs from one pass over the stems (TASLP V-C)."""

from dataclasses import asdict, dataclass

import librosa
import numpy as np
import scipy.fft

from tfseg.files import create_dataset, create_description, writing_hdf5
from tfseg.timegrid import TimeGrid

_LEVEL_FLOOR = 1e-30


@dataclass(frozen=True)
class FeatureSettings:
    """The T-F representation; its fields are the keys of ``features`` in the config.

    Parameters
    ----------
    sample_rate : int
        Hz.
    window_length, hop_length : int
        Samples. The window is a symmetric Hamming window, as released.
    n_mels : int
    fmin_hz, fmax_hz : float
        Edges of the Slaney mel bands.
    log_offset : float
        Added to the mel magnitude before the logarithm.
    ibm_criterion_db : float
        A unit belongs to an event when the event exceeds the rest by more than this (-5 dB as
        released for TASLP).
    """

    sample_rate: int
    window_length: int
    hop_length: int
    n_mels: int
    fmin_hz: float
    fmax_hz: float
    log_offset: float
    ibm_criterion_db: float

    @property
    def grid(self):
        """The frames' time grid."""
        return TimeGrid(self.sample_rate, self.window_length, self.hop_length)

    def as_dict(self):
        """The settings as plain values, for ``model.json``."""
        return asdict(self)


class Spectrograms:
    """Complex spectra, magnitudes and mel magnitudes under one set of settings.

    Parameters
    ----------
    settings : FeatureSettings
    """

    def __init__(self, settings):
        self.settings = settings
        self.grid = settings.grid
        window = np.hamming(settings.window_length)
        # scipy.signal.spectrogram's default (density) scale at its default fs of 1, which the
        # released code used: log_offset is relative to it.
        self._window = (window / np.sqrt(np.sum(window**2))).astype(np.float32)
        self.mel_filters = librosa.filters.mel(
            sr=settings.sample_rate,
            n_fft=settings.window_length,
            n_mels=settings.n_mels,
            fmin=settings.fmin_hz,
            fmax=settings.fmax_hz,
        ).astype(np.float32)

    def complex(self, samples, frames=None):
        """Complex spectrum.

        Parameters
        ----------
        samples : np.ndarray [shape=(n_samples,)]
        frames : slice or None
            Only these frames.

        Returns
        -------
        spectrum : np.ndarray [shape=(n_frames, window_length // 2 + 1), dtype=complex64]
        """
        windows = np.lib.stride_tricks.sliding_window_view(
            np.asarray(samples, dtype=np.float32), self.settings.window_length
        )[:: self.settings.hop_length]
        if frames is not None:
            windows = windows[frames]
        return scipy.fft.rfft(windows * self._window, axis=-1)

    def mel(self, spectrum):
        """Mel magnitudes [shape=(n_frames, n_mels), dtype=float32] of a complex spectrum."""
        return np.abs(spectrum) @ self.mel_filters.T

    def logmel(self, spectrum):
        """Log-mel features [shape=(n_frames, n_mels), dtype=float32] of a complex spectrum."""
        return np.log(self.mel(spectrum) + np.float32(self.settings.log_offset))

    def touched_frames(self, onset, n_event, n_frames):
        """Frames whose window reaches into samples ``[onset, onset + n_event)``."""
        length, hop = self.settings.window_length, self.settings.hop_length
        first = max(0, (onset - length) // hop + 1)
        last = min(n_frames - 1, (onset + n_event - 1) // hop)
        return slice(first, max(last + 1, first))


class MixtureSpectra:
    """Spectra of one mixture's scene and classes, from which every SNR is a weighted sum.

    Parameters
    ----------
    spectrograms : Spectrograms
    stems : tfseg.mixing.Stems
    """

    def __init__(self, spectrograms, stems):
        self._spectrograms, self._stems = spectrograms, stems
        self.scene = spectrograms.complex(stems.scene)
        self.n_frames = len(self.scene)
        self._scene_mel = None
        self.classes = {}
        self._reach = {}
        for k in sorted({k for k, _, _ in stems.events}):
            track = stems.event_track(k)
            spectrum = np.zeros_like(self.scene)
            reach = np.zeros(self.n_frames, dtype=bool)
            for event_class, onset, samples in stems.events:
                if event_class == k:
                    frames = spectrograms.touched_frames(onset, len(samples), self.n_frames)
                    spectrum[frames] = spectrograms.complex(track, frames)
                    reach[frames] = True
            self.classes[k], self._reach[k] = spectrum, reach

    def mixture(self, snr_db):
        """Complex spectrum of the mixture at `snr_db`."""
        gain = np.float32(10 ** (snr_db / 20))
        total = self.scene.copy()
        for k, spectrum in self.classes.items():
            frames = self._reach[k]
            total[frames] += gain * spectrum[frames]
        return np.float32(self._stems.mix_gain[snr_db]) * total

    def _levels(self, k, snr_db):
        """Mel magnitudes of class `k` and of all the rest, on the frames that `k` reaches."""
        gain = np.float32(10 ** (snr_db / 20))
        frames = self._reach[k]
        others = [j for j in self.classes if j != k and (self._reach[j] & frames).any()]
        if others:
            rest = self.scene[frames] + gain * sum(self.classes[j][frames] for j in others)
            rest_mel = self._spectrograms.mel(rest)
        else:
            if self._scene_mel is None:
                self._scene_mel = self._spectrograms.mel(self.scene)
            rest_mel = self._scene_mel[frames]
        return frames, gain * self._spectrograms.mel(self.classes[k][frames]), rest_mel

    def ideal_binary_mask(self, k, snr_db, active_frames):
        """Ideal binary mask of class `k` (the T-F reference of TASLP's Tables VIII and IX).

        Parameters
        ----------
        k : int
        snr_db : float
        active_frames : np.ndarray [shape=(n_frames,), dtype=bool]
            Strong label of the class: the mask is zero elsewhere.

        Returns
        -------
        mask : np.ndarray [shape=(n_frames, n_mels), dtype=bool]
        """
        mask = np.zeros((self.n_frames, self._spectrograms.settings.n_mels), dtype=bool)
        frames, event, rest = self._levels(k, snr_db)
        criterion = np.float32(10 ** (self._spectrograms.settings.ibm_criterion_db / 20))
        mask[frames] = event > criterion * rest
        return mask & active_frames[:, None]

    def ideal_ratio_mask(self, k, snr_db):
        """Ideal ratio mask |event| / (|event| + |rest|) of class `k` [values in 0..1]."""
        mask = np.zeros((self.n_frames, self._spectrograms.settings.n_mels), dtype=np.float32)
        frames, event, rest = self._levels(k, snr_db)
        mask[frames] = event / np.maximum(event + rest, np.float32(_LEVEL_FLOOR))
        return mask


def extract_features(
    stem_reader, settings, labels, *, classes, snr_db, progress=lambda items: items
):
    """Compute features and ideal masks of one stems file for every SNR.

    Parameters
    ----------
    stem_reader : tfseg.mixing.StemReader
    settings : FeatureSettings
    labels : dict
        As `tfseg.corpora.tables.mixture_labels` makes them.
    classes : sequence of str
    snr_db : sequence of float
    progress : callable

    Returns
    -------
    features : dict of float to dict
        By SNR: ``logmel`` [shape=(n, n_frames, n_mels), float16], ``target`` [shape=(n,
        n_classes), uint8], ``mixture``, ``fold``, and the ideal masks, one row for each class
        that sounds in a mixture: ``mask_mixture``, ``mask_class`` and ``mask_bits`` (the mask
        flattened frame by frame and packed eight units to a byte).
    """
    spectrograms = Spectrograms(settings)
    names, folds, targets = [], [], []
    logmel = {snr: [] for snr in snr_db}
    mask_bits = {snr: [] for snr in snr_db}
    mask_rows = []
    for index, stems in enumerate(progress(stem_reader)):
        spectra = MixtureSpectra(spectrograms, stems)
        strong = spectrograms.grid.strong_labels(
            labels.get(stems.mixture, []), classes, spectra.n_frames
        )
        names.append(stems.mixture)
        folds.append(stems.fold)
        target = np.zeros(len(classes), dtype=np.uint8)
        target[list(spectra.classes)] = 1
        targets.append(target)
        mask_rows += [(index, k) for k in spectra.classes]
        for snr in snr_db:
            logmel[snr].append(spectrograms.logmel(spectra.mixture(snr)).astype(np.float16))
            for k in spectra.classes:
                mask = spectra.ideal_binary_mask(k, snr, strong[:, k])
                mask_bits[snr].append(np.packbits(mask.reshape(-1)))
    mask_rows = np.array(mask_rows, dtype=np.int64).reshape(-1, 2)
    n_units = logmel[snr_db[0]][0].size
    n_bytes = -(-n_units // 8)
    return {
        snr: {
            "logmel": np.stack(logmel[snr]),
            "target": np.stack(targets),
            "mixture": np.array(names, dtype="S"),
            "fold": np.array(folds, dtype=np.int32),
            "mask_mixture": mask_rows[:, 0],
            "mask_class": mask_rows[:, 1],
            "mask_bits": np.array(mask_bits[snr], dtype=np.uint8).reshape(-1, n_bytes),
        }
        for snr in snr_db
    }


def write_features(path, features, *, classes, settings, snr_db):
    """Write the features of one SNR as HDF5, whole or not at all."""
    with writing_hdf5(path) as file:
        for name, values in features.items():
            chunks = (1, *values.shape[1:]) if name == "logmel" else True
            create_dataset(file, name, data=values, chunks=chunks)
        file.attrs["classes"] = list(classes)
        file.attrs["snr_db"] = float(snr_db)
        create_description(file, {"classes": list(classes), "settings": settings.as_dict()})
