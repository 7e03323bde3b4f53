"""One mixture with all that the figures show of it, as a file between computing and drawing."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from tfseg import audio
from tfseg.errors import DataError
from tfseg.features import MixtureSpectra, Spectrograms
from tfseg.files import create_dataset, reading_hdf5, writing_hdf5

_SHOWN_S = 30.0


@dataclass(frozen=True)
class Example:
    """A mixture, its references and what every system makes of it.

    Attributes
    ----------
    mixture : str
    snr_db : float
        NaN for a clip that was not mixed here.
    sample_rate, hop_length : int
    mel_hz : np.ndarray [shape=(n_mels,)]
        Centre frequency of each band.
    waveform : np.ndarray [shape=(n_samples,)]
    logmel : np.ndarray [shape=(n_frames, n_mels)]
    classes : list of str
    target : np.ndarray [shape=(n_classes,), dtype=bool]
    strong : np.ndarray [shape=(n_frames, n_classes), dtype=bool] or None
        None where the events' times are not known.
    ratio_masks : np.ndarray [shape=(n_classes, n_frames, n_mels)] or None
        Ideal ratio masks; zero for classes that do not sound. None for a clip that was not mixed
        here.
    masks : dict of str to np.ndarray [shape=(n_classes, n_frames, n_mels)]
    tags : dict of str to np.ndarray [shape=(n_classes,)]
    """

    mixture: str
    snr_db: float
    sample_rate: int
    hop_length: int
    mel_hz: np.ndarray
    waveform: np.ndarray
    logmel: np.ndarray
    classes: list
    target: np.ndarray
    strong: np.ndarray | None
    ratio_masks: np.ndarray | None
    masks: dict
    tags: dict

    @property
    def title(self):
        """What to call it in a figure."""
        if math.isnan(self.snr_db):
            return f"clip {self.mixture}"
        return f"mixture {self.mixture} at {self.snr_db:g} dB SNR"

    @property
    def frame_times_s(self):
        """Start of each frame, and the end of the last [shape=(n_frames + 1,)]."""
        return np.arange(len(self.logmel) + 1) * self.hop_length / self.sample_rate


def choose_stems(stem_reader):
    """Take the first mixture whose events are all of different classes (a rule, not a choice)."""
    for stems in stem_reader:
        classes = [k for k, _, _ in stems.events]
        if classes and len(set(classes)) == len(classes):
            return stems
    raise DataError(f"{stem_reader.path}: no mixture whose events are all of different classes")


def _run(networks, logmel):
    """Masks and tags of every system for one log-mel spectrogram."""
    masks, tags = {}, {}
    with torch.inference_mode():
        for system, network in networks.items():
            system_tags, system_masks = network(torch.from_numpy(logmel)[None])
            tags[system], masks[system] = system_tags[0].numpy(), system_masks[0].numpy()
    return masks, tags


def make_example(stem_reader, networks, settings, labels, *, classes, snr_db):
    """Run every system on the chosen mixture of a stems file.

    Parameters
    ----------
    stem_reader : tfseg.mixing.StemReader
    networks : dict of str to MaskNetwork
        In evaluation mode, on the CPU.
    settings : tfseg.features.FeatureSettings
    labels : dict
        Mixture to list of (label, onset_s, offset_s).
    classes : sequence of str
    snr_db : float

    Returns
    -------
    example : Example
    """
    stems = choose_stems(stem_reader)
    spectrograms = Spectrograms(settings)
    spectra = MixtureSpectra(spectrograms, stems)
    # Stored features are float16: the systems see here what they see in training.
    logmel = spectrograms.logmel(spectra.mixture(snr_db)).astype(np.float16).astype(np.float32)
    ratio_masks = np.zeros((len(classes), *logmel.shape), dtype=np.float32)
    for k in spectra.classes:
        ratio_masks[k] = spectra.ideal_ratio_mask(k, snr_db)
    masks, tags = _run(networks, logmel)
    return Example(
        mixture=stems.mixture,
        snr_db=snr_db,
        sample_rate=settings.sample_rate,
        hop_length=settings.hop_length,
        mel_hz=spectrograms.mel_hz,
        waveform=stems.mixture_at(snr_db),
        logmel=logmel,
        classes=list(classes),
        target=np.isin(np.arange(len(classes)), list(spectra.classes)),
        strong=settings.grid.strong_labels(labels[stems.mixture], classes, len(logmel)),
        ratio_masks=ratio_masks,
        masks=masks,
        tags=tags,
    )


def choose_clip(clips):
    """Take the first clip that has as many tags as any (a rule, not a choice).

    Parameters
    ----------
    clips : pd.DataFrame
        Of one fold, as ``schemas/tables/clips.schema.yaml`` says.
    """
    n_tags = clips["tags"].map(lambda text: len(text.split(";")) if text else 0)
    return clips.loc[n_tags.idxmax()]


def make_clip_example(clip, networks, settings, labels, *, classes, resampler):
    """Run every system on one ready clip; what lies beyond its first 30 s is not shown.

    Parameters
    ----------
    clip : pd.Series
        A row of the clips' table.
    networks, settings, labels, classes
        As for `make_example`; a clip that `labels` lacks has no strong reference.
    resampler : str

    Returns
    -------
    example : Example
    """
    spectrograms, grid = Spectrograms(settings), settings.grid
    waveform = audio.read_mono(
        clip["path"], settings.sample_rate, resampler=resampler, stop_s=_SHOWN_S
    )
    waveform = np.pad(waveform, (0, max(0, settings.window_length - len(waveform))))
    logmel = spectrograms.logmel(spectrograms.complex(waveform))
    logmel = logmel.astype(np.float16).astype(np.float32)
    masks, tags = _run(networks, logmel)
    strong = None
    if clip["clip"] in labels:
        strong = grid.strong_labels(labels[clip["clip"]], classes, len(logmel))
    return Example(
        mixture=clip["clip"],
        snr_db=math.nan,
        sample_rate=settings.sample_rate,
        hop_length=settings.hop_length,
        mel_hz=spectrograms.mel_hz,
        waveform=waveform,
        logmel=logmel,
        classes=list(classes),
        target=np.array([label in clip["tags"].split(";") for label in classes]),
        strong=strong,
        ratio_masks=None,
        masks=masks,
        tags=tags,
    )


_ARRAYS = ("mel_hz", "waveform", "logmel", "target")
_REFERENCES = ("strong", "ratio_masks")


def write_example(path, example):
    """Write an example as HDF5, whole or not at all."""
    with writing_hdf5(path) as file:
        for name in (*_ARRAYS, *_REFERENCES):
            if getattr(example, name) is not None:
                create_dataset(file, name, data=getattr(example, name))
        for system in example.masks:
            create_dataset(file, f"masks/{system}", data=example.masks[system])
            create_dataset(file, f"tags/{system}", data=example.tags[system])
        file.attrs["mixture"] = example.mixture
        file.attrs["snr_db"] = float(example.snr_db)
        file.attrs["sample_rate"] = example.sample_rate
        file.attrs["hop_length"] = example.hop_length
        file.attrs["classes"] = example.classes
        file.attrs["systems"] = list(example.masks)


def read_example(path):
    """Read what `write_example` wrote."""
    with reading_hdf5(path) as file:
        systems = [str(system) for system in file.attrs["systems"]]
        return Example(
            mixture=str(file.attrs["mixture"]),
            snr_db=float(file.attrs["snr_db"]),
            sample_rate=int(file.attrs["sample_rate"]),
            hop_length=int(file.attrs["hop_length"]),
            classes=[str(label) for label in file.attrs["classes"]],
            masks={system: file[f"masks/{system}"][:] for system in systems},
            tags={system: file[f"tags/{system}"][:] for system in systems},
            **{name: file[name][:] for name in _ARRAYS},
            **{name: file[name][:] if name in file else None for name in _REFERENCES},
        )
