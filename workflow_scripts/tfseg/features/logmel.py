"""Log-mel spectrograms and ideal masks of all SNRs from one pass over the stems (TASLP V-C)."""

import functools
import itertools
from dataclasses import asdict, dataclass

import librosa
import numpy as np
import scipy.fft

from tfseg.features.feature_set import create_ragged
from tfseg.features.time_grid import TimeGrid
from tfseg.io import audio
from tfseg.io.files import append_rows, create_dataset, create_description

_LEVEL_FLOOR = 1e-30
_BANDS_AT_ONCE = 4  # measured: fewer need too many products, more multiply too many zeros
_BLOCK_FRAMES = 2048  # of a long recording, processed at a time
_MASKS_AT_ONCE = 32  # written together


@dataclass(frozen=True)
class FeatureSettings:
    """The T-F representation: keys of ``features`` in the config.

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
        """Return the settings as plain values, for ``model.json``."""
        return asdict(self)


class Spectrograms:
    """Complex spectra, magnitudes and mel magnitudes for one set of settings.

    Parameters
    ----------
    settings : FeatureSettings
    """

    def __init__(self, settings):
        self.settings = settings
        self.grid = settings.grid
        window = np.hamming(settings.window_length)
        # The released code uses scipy.signal.spectrogram's default (density) scale at its default
        # fs of 1; log_offset is relative to it.
        self._window = (window / np.sqrt(np.sum(window**2))).astype(np.float32)
        self.mel_filters = librosa.filters.mel(
            sr=settings.sample_rate,
            n_fft=settings.window_length,
            n_mels=settings.n_mels,
            fmin=settings.fmin_hz,
            fmax=settings.fmax_hz,
        ).astype(np.float32)
        self._band_groups = [
            self._band_group(first) for first in range(0, settings.n_mels, _BANDS_AT_ONCE)
        ]

    def _band_group(self, first):
        """Return a group of neighbouring bands, the bins with non-zero weights, and the weights."""
        bands = slice(first, first + _BANDS_AT_ONCE)
        weighed = np.flatnonzero(self.mel_filters[bands].any(axis=0))
        bins = slice(weighed[0], weighed[-1] + 1) if len(weighed) else slice(0, 0)
        return bands, bins, np.ascontiguousarray(self.mel_filters[bands, bins].T)

    @property
    def mel_hz(self):
        """Centre frequency of each band [shape=(n_mels,)]."""
        n_bins = self.mel_filters.shape[1]
        bins_hz = np.arange(n_bins) * self.settings.sample_rate / self.settings.window_length
        return (self.mel_filters @ bins_hz) / np.maximum(self.mel_filters.sum(axis=1), 1e-12)

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
        magnitude = np.abs(spectrum)
        mel = np.empty((len(spectrum), self.settings.n_mels), dtype=np.float32)
        # A band has few non-zero bins (3 % of all pairs): the full product would mostly add zeros.
        for bands, bins, weights in self._band_groups:
            np.matmul(magnitude[:, bins], weights, out=mel[:, bands])
        return mel

    def log(self, mel):
        """Log-mel features [same shape, dtype=float32] of mel magnitudes."""
        return np.log(mel + np.float32(self.settings.log_offset))

    def logmel(self, spectrum):
        """Log-mel features [shape=(n_frames, n_mels), dtype=float32] of a complex spectrum."""
        return self.log(self.mel(spectrum))

    def touched_frames(self, onset, n_event, n_frames):
        """Frames whose window overlaps samples ``[onset, onset + n_event)``."""
        length, hop = self.settings.window_length, self.settings.hop_length
        first = max(0, (onset - length) // hop + 1)
        last = min(n_frames - 1, (onset + n_event - 1) // hop)
        return slice(first, max(last + 1, first))


class _Stretch:
    """Consecutive frames with the same active classes (or none), with their spectra.

    Parameters
    ----------
    spectrograms : Spectrograms
    frames : slice
    scene : np.ndarray
        Waveform of the mixture's scene.
    tracks : dict of int to np.ndarray
        Event track of each class that is active in the frames, at 0 dB.
    """

    def __init__(self, spectrograms, frames, scene, tracks):
        self._spectrograms, self.frames = spectrograms, frames
        self._scene = spectrograms.complex(scene, frames)
        self._scene_mel = spectrograms.mel(self._scene)
        self._classes = {k: spectrograms.complex(track, frames) for k, track in tracks.items()}
        self.class_mel = {k: spectrograms.mel(spectrum) for k, spectrum in self._classes.items()}

    def spectrum(self, gain, without=None):
        """Complex spectrum of the scene plus `gain` times all classes, or all but one."""
        spectra = [spectrum for k, spectrum in self._classes.items() if k != without]
        if not spectra:
            return self._scene
        total = gain * functools.reduce(np.add, spectra)
        total += self._scene
        return total

    def mel(self, gain, without=None):
        """Mel magnitudes of `spectrum`; those of the scene alone are computed once."""
        if self._classes.keys() <= {without}:
            return self._scene_mel
        return self._spectrograms.mel(self.spectrum(gain, without))


class MixtureSpectra:
    """Spectra of one mixture's scene and classes, from which every SNR is a weighted sum.

    Parameters
    ----------
    spectrograms : Spectrograms
    stems : tfseg.mixing.remixing.Stems

    Attributes
    ----------
    classes : list of int
        Classes in the mixture, in class order.
    n_frames : int
    """

    def __init__(self, spectrograms, stems):
        self._spectrograms, self._mix_gain = spectrograms, stems.mix_gain
        self.n_frames = spectrograms.grid.n_frames(len(stems.scene))
        self.classes = sorted({k for k, _, _ in stems.events})
        reached = np.zeros((self.n_frames, len(self.classes)), dtype=bool)
        for k, onset, samples in stems.events:
            frames = spectrograms.touched_frames(onset, len(samples), self.n_frames)
            reached[frames, self.classes.index(k)] = True
        tracks = {k: stems.event_track(k) for k in self.classes}
        changes = np.flatnonzero((reached[1:] != reached[:-1]).any(axis=1)) + 1
        self._stretches = [
            _Stretch(
                spectrograms,
                slice(first, stop),
                stems.scene,
                {k: tracks[k] for k in itertools.compress(self.classes, reached[first])},
            )
            for first, stop in itertools.pairwise([0, *changes.tolist(), self.n_frames])
        ]

    def mixture(self, snr_db):
        """Complex spectrum of the mixture at `snr_db`."""
        gain = np.float32(10 ** (snr_db / 20))
        spectrum = np.concatenate([stretch.spectrum(gain) for stretch in self._stretches])
        return np.float32(self._mix_gain[snr_db]) * spectrum

    def logmel(self, snr_db):
        """Log-mel features [shape=(n_frames, n_mels), dtype=float32] of the mixture at `snr_db`."""
        gain = np.float32(10 ** (snr_db / 20))
        mel = np.concatenate([stretch.mel(gain) for stretch in self._stretches])
        return self._spectrograms.log(np.float32(self._mix_gain[snr_db]) * mel)

    def _levels(self, k, snr_db):
        """Yield the frames of class `k`, its mel magnitudes there, and those of the rest."""
        gain = np.float32(10 ** (snr_db / 20))
        for stretch in self._stretches:
            if k in stretch.class_mel:
                yield stretch.frames, gain * stretch.class_mel[k], stretch.mel(gain, without=k)

    def ideal_binary_mask(self, k, snr_db, active_frames):
        """Ideal binary mask of class `k` (the T-F reference of TASLP's Tables VIII and IX).

        Parameters
        ----------
        k : int
        snr_db : float
        active_frames : np.ndarray [shape=(n_frames,), dtype=bool]
            Strong label of the class; the mask is zero elsewhere.

        Returns
        -------
        mask : np.ndarray [shape=(n_frames, n_mels), dtype=bool]
        """
        mask = np.zeros((self.n_frames, self._spectrograms.settings.n_mels), dtype=bool)
        criterion = np.float32(10 ** (self._spectrograms.settings.ibm_criterion_db / 20))
        for frames, event, rest in self._levels(k, snr_db):
            mask[frames] = event > criterion * rest
        return mask & active_frames[:, None]

    def ideal_ratio_mask(self, k, snr_db):
        """Ideal ratio mask |event| / (|event| + |rest|) of class `k` [values in 0..1]."""
        mask = np.zeros((self.n_frames, self._spectrograms.settings.n_mels), dtype=np.float32)
        for frames, event, rest in self._levels(k, snr_db):
            mask[frames] = event / np.maximum(event + rest, np.float32(_LEVEL_FLOOR))
        return mask


class FeatureWriter:
    """Write a feature file clip by clip, in memory that does not grow with their number.

    Parameters
    ----------
    file : h5py.File
        Open for writing. Layout: ``docs/reference/files.md``.
    n_clips, max_frames : int
    classes : sequence of str
    settings : FeatureSettings
    snr_db : float or None
    """

    def __init__(self, file, *, n_clips, max_frames, classes, settings, snr_db):
        self._file = file
        n_bytes = -(-max_frames * settings.n_mels // 8)
        self._logmel = create_ragged(
            file, "logmel", n_clips, max_frames, settings.n_mels, np.float16
        )
        self._mask_bits = create_dataset(
            file,
            "mask_bits",
            shape=(0, n_bytes),
            dtype=np.uint8,
            chunks=(1, n_bytes),
            maxshape=(None, n_bytes),
        )
        self._target = np.zeros((n_clips, len(classes)), dtype=np.uint8)
        self._clips, self._mask_rows, self._unwritten = [], [], []
        create_description(file, {"classes": list(classes), "settings": settings.as_dict()})
        file.attrs["classes"] = list(classes)
        if snr_db is not None:
            file.attrs["snr_db"] = float(snr_db)

    def add(self, name, kind, fold, logmel, sounding, masks=(), *, part="train"):
        """Write one clip.

        Parameters
        ----------
        name : str
        kind : {"mixture", "events", "scene", "clip"}
        fold : int
        logmel : np.ndarray [shape=(n_frames, n_mels)]
        sounding : sequence of int
            Classes in the clip.
        masks : sequence of np.ndarray [shape=(n_frames, n_mels), dtype=bool]
            The ideal mask of each of these classes; empty without ideal masks.
        part : {"train", "validation"}
            Use of the clip when its fold is a training fold.
        """
        index = len(self._clips)
        self._clips.append((name.encode(), kind.encode(), part.encode(), fold, len(logmel)))
        self._logmel[index, : len(logmel)] = logmel.astype(np.float16)
        self._target[index, list(sounding)] = 1
        if masks:
            self._unwritten += [np.packbits(mask.reshape(-1)) for mask in masks]
            self._mask_rows += [(index, k) for k in sounding]
            if len(self._unwritten) >= _MASKS_AT_ONCE:
                self._write_masks()

    def _write_masks(self):
        if self._unwritten:
            append_rows(self._mask_bits, np.stack(self._unwritten))
            self._unwritten = []

    def finish(self):
        """Write the remaining masks, and what is known only at the end."""
        self._write_masks()
        columns = zip(*self._clips, strict=True) if self._clips else ((),) * 5
        names, kinds, parts, folds, n_frames = columns
        rows = np.array(self._mask_rows, dtype=np.int64).reshape(-1, 2)
        for name, values in (
            ("target", self._target),
            ("mixture", np.array(names, dtype="S")),
            ("kind", np.array(kinds, dtype="S")),
            ("part", np.array(parts, dtype="S")),
            ("fold", np.array(folds, dtype=np.int32)),
            ("n_frames", np.array(n_frames, dtype=np.int64)),
            ("mask_mixture", rows[:, 0]),
            ("mask_class", rows[:, 1]),
        ):
            create_dataset(self._file, name, data=values)


def extract_features(
    files, stem_reader, settings, labels, *, classes, snr_db, progress=lambda items: items
):
    """Write features and ideal masks of one stems file for every SNR, in one pass.

    Parameters
    ----------
    files : sequence of h5py.File
        One for each SNR, open for writing.
    stem_reader : tfseg.mixing.remixing.StemReader
    settings : FeatureSettings
    labels : dict
        From `tfseg.datasets.corpus_tables.mixture_labels`.
    classes : sequence of str
    snr_db : sequence of float
    progress : callable
    """
    spectrograms = Spectrograms(settings)
    writers = {
        snr: FeatureWriter(
            file,
            n_clips=len(stem_reader.mixtures),
            max_frames=settings.grid.n_frames(stem_reader.n_samples),
            classes=classes,
            settings=settings,
            snr_db=snr,
        )
        for snr, file in zip(snr_db, files, strict=True)
    }
    for stems in progress(stem_reader):
        spectra = MixtureSpectra(spectrograms, stems)
        strong = settings.grid.strong_labels(
            labels.get(stems.mixture, []), classes, spectra.n_frames
        )
        for snr, writer in writers.items():
            writer.add(
                stems.mixture,
                stems.kind,
                stems.fold,
                spectra.logmel(snr),
                spectra.classes,
                [spectra.ideal_binary_mask(k, snr, strong[:, k]) for k in spectra.classes],
                part=stems.part,
            )
    for writer in writers.values():
        writer.finish()


def extract_clips(file, clips, settings, *, classes, resampler, progress=lambda items: items):
    """Write features of ready clips of any length.

    Parameters
    ----------
    file : h5py.File
    clips : pd.DataFrame
        As ``tfseg/datasets/schemas/clips.schema.yaml`` says.
    settings : FeatureSettings
    classes : sequence of str
    resampler : str
    progress : callable
    """
    spectrograms = Spectrograms(settings)
    grid, rows = settings.grid, list(clips.itertuples(index=False))
    # After resampling, the length may differ by a sample from that of the header.
    longest_s = max((row.duration_s for row in rows), default=0)
    column = {label: k for k, label in enumerate(classes)}
    writer = FeatureWriter(
        file,
        n_clips=len(rows),
        max_frames=grid.n_frames(max(grid.n_samples(longest_s), grid.window_length)) + 1,
        classes=classes,
        settings=settings,
        snr_db=None,
    )
    for row in progress(rows):
        logmel = np.concatenate(
            [
                spectrograms.logmel(spectrograms.complex(block))
                for block in audio.read_blocks(
                    row.path,
                    settings.sample_rate,
                    resampler=resampler,
                    n_block=_BLOCK_FRAMES * grid.hop_length,
                    n_overlap=grid.window_length - grid.hop_length,
                    n_least=grid.window_length,
                )
            ]
        )
        sounding = sorted(column[tag] for tag in row.tags.split(";") if tag)
        writer.add(row.clip, "clip", row.fold, logmel, sounding, part=row.part)
    writer.finish()
