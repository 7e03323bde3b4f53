"""The example mixture of the figures, stored in a file between computation and drawing.

Imports that only the computation needs (networks, spectra, audio) are local: drawing needs none.
"""

from dataclasses import dataclass

import numpy as np

from tfseg.errors import DataError
from tfseg.io.files import create_dataset, reading_hdf5, writing_hdf5
from tfseg.snr import snr_from_number, snr_to_number

_SHOWN_S = 30.0


@dataclass(frozen=True)
class Example:
    """A mixture, its references and every system's results.

    Attributes
    ----------
    mixture : str
    snr_db : float or None
        None for a clip that was not mixed here.
    sample_rate, hop_length : int
    mel_hz : np.ndarray [shape=(n_mels,)]
        Centre frequency of each band.
    waveform : np.ndarray [shape=(n_samples,)]
    logmel : np.ndarray [shape=(n_frames, n_mels)]
    classes : list of str
    target : np.ndarray [shape=(n_classes,), dtype=bool]
    strong : np.ndarray [shape=(n_frames, n_classes), dtype=bool] or None
        None if event times are unknown.
    ratio_masks : np.ndarray [shape=(n_classes, n_frames, n_mels)] or None
        Ideal ratio masks; zero for absent classes. None for a clip that was not mixed here.
    masks : dict of str to np.ndarray [shape=(n_classes, n_frames, n_mels)]
        Of the systems that have masks.
    frames : dict of str to np.ndarray [shape=(n_classes, n_frames)]
    tags : dict of str to np.ndarray [shape=(n_classes,)]
    """

    mixture: str
    snr_db: float | None
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
    frames: dict
    tags: dict

    @property
    def title(self):
        """Title in a figure."""
        if self.snr_db is None:
            return f"clip {self.mixture}"
        return f"mixture {self.mixture} at {self.snr_db:g} dB SNR"

    @property
    def frame_times_s(self):
        """Start of each frame, and the end of the last [shape=(n_frames + 1,)]."""
        return np.arange(len(self.logmel) + 1) * self.hop_length / self.sample_rate


def choose_stems(stem_reader):
    """Return the first mixture with the largest number of classes."""
    chosen, most = None, 0
    for stems in stem_reader:
        n_classes = len({k for k, _, _ in stems.events})
        if stems.kind == "mixture" and n_classes > most:
            chosen, most = stems, n_classes
        if 0 < most == stem_reader.most_events:
            return chosen  # no mixture can have more classes than events
    if chosen is None:
        raise DataError(f"{stem_reader.path}: expected a mixture with events, found none")
    return chosen


def _run(networks, logmel):
    """Masks, frame scores and tags of every system for one log-mel spectrogram."""
    import torch

    outputs = {"masks": {}, "frames": {}, "tags": {}}
    with torch.inference_mode():
        for system, network in networks.items():
            tags, maps = network(torch.from_numpy(logmel)[None])
            outputs["tags"][system] = tags[0].numpy()
            outputs["frames"][system] = (maps.mean(dim=3) if network.has_masks else maps)[0].numpy()
            if network.has_masks:
                outputs["masks"][system] = maps[0].numpy()
    return outputs


def make_example(stem_reader, networks, settings, labels, *, classes, snr_db):
    """Run every system on the chosen mixture of a stems file.

    Parameters
    ----------
    stem_reader : tfseg.mixing.remixing.StemReader
    networks, settings, labels, classes, snr_db
        As for `example_of`.

    Returns
    -------
    example : Example
    """
    stems = choose_stems(stem_reader)
    return example_of(stems, networks, settings, labels, classes=classes, snr_db=snr_db)


def example_of(stems, networks, settings, labels, *, classes, snr_db):
    """Run every system on one mixture.

    Parameters
    ----------
    stems : tfseg.mixing.remixing.Stems
    networks : dict of str to MaskNetwork
        In evaluation mode, on the CPU.
    settings : tfseg.features.logmel.FeatureSettings
    labels : dict
        Mixture to list of (label, onset_s, offset_s).
    classes : sequence of str
    snr_db : float

    Returns
    -------
    example : Example
    """
    from tfseg.features.logmel import MixtureSpectra, Spectrograms

    spectrograms = Spectrograms(settings)
    spectra = MixtureSpectra(spectrograms, stems)
    # Stored features are float16: use the same precision as in training.
    logmel = spectrograms.logmel(spectra.mixture(snr_db)).astype(np.float16).astype(np.float32)
    ratio_masks = np.zeros((len(classes), *logmel.shape), dtype=np.float32)
    for k in spectra.classes:
        ratio_masks[k] = spectra.ideal_ratio_mask(k, snr_db)
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
        **_run(networks, logmel),
    )


@dataclass(frozen=True)
class ClassExample:
    """One class in one mixture (JSC Fig. 3).

    Attributes
    ----------
    label, mixture : str
    logmel : np.ndarray [shape=(n_frames, n_mels)]
    ideal : np.ndarray [shape=(n_frames, n_mels)]
        Its ideal binary mask.
    masks : dict of str to np.ndarray [shape=(n_frames, n_mels)]
        Of the systems that have masks.
    """

    label: str
    mixture: str
    logmel: np.ndarray
    ideal: np.ndarray
    masks: dict


def make_class_examples(stem_reader, networks, settings, labels, *, classes, snr_db, n_classes=6):
    """Run every system on the first mixture of each class, for the first few classes.

    Parameters
    ----------
    stem_reader, networks, settings, labels, classes, snr_db
        As for `make_example`.
    n_classes : int
        Largest number of classes.

    Returns
    -------
    examples : list of ClassExample
        In the order of `classes`.
    """
    from tfseg.features.logmel import MixtureSpectra, Spectrograms

    spectrograms, found = Spectrograms(settings), {}
    for stems in stem_reader:
        new = {k for k, _, _ in stems.events} - set(found)
        if stems.kind != "mixture" or not new or min(new) >= n_classes:
            continue
        spectra = MixtureSpectra(spectrograms, stems)
        logmel = spectrograms.logmel(spectra.mixture(snr_db)).astype(np.float16).astype(np.float32)
        strong = settings.grid.strong_labels(labels[stems.mixture], classes, len(logmel))
        masks = _run(networks, logmel)["masks"]
        for k in new:
            found[k] = ClassExample(
                label=classes[k],
                mixture=stems.mixture,
                logmel=logmel,
                ideal=spectra.ideal_binary_mask(k, snr_db, strong[:, k]),
                masks={system: by_class[k] for system, by_class in masks.items()},
            )
        if set(range(min(n_classes, len(classes)))) <= set(found):
            break
    return [found[k] for k in sorted(found) if k < n_classes]


def choose_clip(clips):
    """Return the first clip with the largest number of tags.

    Parameters
    ----------
    clips : pd.DataFrame
        Clips of one fold (``tfseg/datasets/schemas/clips.schema.yaml``).
    """
    n_tags = clips["tags"].map(lambda text: len(text.split(";")) if text else 0)
    return clips.loc[n_tags.idxmax()]


def make_clip_example(clip, networks, settings, labels, *, classes, resampler):
    """Run every system on the first 30 s of one ready clip.

    Parameters
    ----------
    clip : pd.Series
        A row of the clips' table.
    networks, settings, labels, classes
        As for `make_example`; a clip that is missing in `labels` has no strong reference.
    resampler : str

    Returns
    -------
    example : Example
    """
    from tfseg.features.logmel import Spectrograms
    from tfseg.io import audio

    spectrograms, grid = Spectrograms(settings), settings.grid
    waveform = audio.read_mono(
        clip["path"], settings.sample_rate, resampler=resampler, stop_s=_SHOWN_S
    )
    waveform = np.pad(waveform, (0, max(0, settings.window_length - len(waveform))))
    logmel = spectrograms.logmel(spectrograms.complex(waveform))
    logmel = logmel.astype(np.float16).astype(np.float32)
    strong = None
    if clip["clip"] in labels:
        strong = grid.strong_labels(labels[clip["clip"]], classes, len(logmel))
    return Example(
        mixture=clip["clip"],
        snr_db=None,
        sample_rate=settings.sample_rate,
        hop_length=settings.hop_length,
        mel_hz=spectrograms.mel_hz,
        waveform=waveform,
        logmel=logmel,
        classes=list(classes),
        target=np.array([label in clip["tags"].split(";") for label in classes]),
        strong=strong,
        ratio_masks=None,
        **_run(networks, logmel),
    )


_ARRAYS = ("mel_hz", "waveform", "logmel", "target")
_OUTPUTS = ("masks", "frames", "tags")
_REFERENCES = ("strong", "ratio_masks")


def store_example(group, example):
    """Store an example in a group of an HDF5 file."""
    for name in (*_ARRAYS, *_REFERENCES):
        if getattr(example, name) is not None:
            create_dataset(group, name, data=getattr(example, name))
    for kind in _OUTPUTS:
        for system, values in getattr(example, kind).items():
            create_dataset(group, f"{kind}/{system}", data=values)
    group.attrs["mixture"] = example.mixture
    group.attrs["snr_db"] = snr_to_number(example.snr_db)
    group.attrs["sample_rate"] = example.sample_rate
    group.attrs["hop_length"] = example.hop_length
    group.attrs["classes"] = example.classes
    group.attrs["systems"] = list(example.tags)


def stored_example(group):
    """Read an example that `store_example` stored."""
    systems = [str(system) for system in group.attrs["systems"]]
    arrays: dict = {
        kind: {s: group[f"{kind}/{s}"][:] for s in systems if f"{kind}/{s}" in group}
        for kind in _OUTPUTS
    }
    arrays |= {name: group[name][:] for name in _ARRAYS}
    arrays |= {name: group[name][:] if name in group else None for name in _REFERENCES}
    return Example(
        mixture=str(group.attrs["mixture"]),
        snr_db=snr_from_number(group.attrs["snr_db"]),
        sample_rate=int(group.attrs["sample_rate"]),
        hop_length=int(group.attrs["hop_length"]),
        classes=[str(label) for label in group.attrs["classes"]],
        **arrays,
    )


def write_example(path, example, class_examples=()):
    """Write an example, and one of each class, as HDF5, whole or not at all."""
    with writing_hdf5(path) as file:
        for index, one in enumerate(class_examples):
            group = file.create_group(f"by_class/{index}")
            group.attrs["label"], group.attrs["mixture"] = one.label, one.mixture
            create_dataset(group, "logmel", data=one.logmel)
            create_dataset(group, "ideal", data=one.ideal)
            for system, mask in one.masks.items():
                create_dataset(group, f"masks/{system}", data=mask)
        store_example(file, example)


def read_example(path):
    """Read the example of a file of `write_example`."""
    with reading_hdf5(path) as file:
        return stored_example(file)


def read_class_examples(path):
    """Read the examples of single classes from a file of `write_example`."""
    examples = []
    with reading_hdf5(path) as file:
        systems = [str(system) for system in file.attrs["systems"]]
        for index in range(len(file.get("by_class", ()))):
            group = file[f"by_class/{index}"]
            examples.append(
                ClassExample(
                    label=str(group.attrs["label"]),
                    mixture=str(group.attrs["mixture"]),
                    logmel=group["logmel"][:],
                    ideal=group["ideal"][:],
                    masks={s: group[f"masks/{s}"][:] for s in systems if f"masks/{s}" in group},
                )
            )
    return examples
